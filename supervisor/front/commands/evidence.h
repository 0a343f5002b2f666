#pragma once
/*
 * evidence: what the kernel counted while a command ran, and whose it was.
 */
#include "supervisor/front/commands/causes.h"
#include "supervisor/front/commands/slots.h"

typedef struct Counters {
        uint64_t oom;  /* processes that the kernel killed for memory */
        uint64_t pids; /* forks that it refused */
} Counters;

typedef struct Evidence { /* taken when the command starts */
        Counters jail;
        Counters slot; /* of a narrow one */
        uint64_t pids_peak,
                memory_peak; /* of the slot, before: a figure that did not rise is not ours */
        uint64_t turn;       /* slots_turn() */
        bool others;         /* something else was in the jail then */
} Evidence;

/** evidence_begin() - read the counters before a command runs in @slot */
void evidence_begin(Evidence *evidence, const FrontJail *jail, const Slot *slot);

/**
 * evidence_end() - what rose: hits, counts, peaks, and which hits can be this command's alone
 * @slot: NULL: it never had one
 */
void evidence_end(const Evidence *evidence, const FrontJail *jail, const Slot *slot,
                  CommandEnd *end);

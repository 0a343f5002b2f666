#pragma once
/*
 * slots: the command groups of one jail. A command takes a free slot; what it left running keeps the
 * slot, and its time limits, until nothing of it is left. A limit ends everything in the slot, daemons
 * in sessions of their own included, through cgroup.kill.
 */
#include "supervisor/front/commands.h"

typedef struct Slots Slots;
typedef struct Slot Slot;

/** slots_new() - none yet. Returns: 0 or -ENOMEM */
int slots_new(Front *front, Slots **ret);
/** slots_free() - Returns: NULL */
Slots *slots_free(Slots *slots);
DEFINE_SCOPED(Slots *, slots_free);
/** slots_add() - one more, free; descriptors (as enum SlotFd, without the directory) are owned by it. Returns: 0 or negative errno */
int slots_add(Slots *slots, unsigned number, const int *fds_consume);
/** slots_n() - how many there are */
unsigned slots_n(const Slots *slots);

/** slots_take() - a free one, in use from now on; NULL where there is none */
Slot *slots_take(Slots *slots);
/** slot_number() - as the monitor and init know it */
unsigned slot_number(const Slot *slot);

/** SlotLimitFn - a time limit ended what was in the slot: CAUSE_WALL_TIMEOUT or CAUSE_CPU_TIMEOUT */
typedef void (*SlotLimitFn)(Cause cause, void *userdata);

typedef struct SlotLimits {
        uint64_t wall_usec; /* 0: none */
        uint64_t cpu_usec;  /* 0: none */
        SlotLimitFn limit;
        void *userdata;
} SlotLimits;

/** slot_arm() - start the clocks of the command that is about to run in it */
int slot_arm(Slot *slot, const SlotLimits *limits, Error *err);
/** slot_kill() - end everything in it. Returns: 0 or negative errno */
int slot_kill(Slot *slot);
/** slot_release() - its command ended; where something is @left of it: free as soon as nothing is */
void slot_release(Slot *slot, bool left);

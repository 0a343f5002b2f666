#pragma once
/*
 * outcome: the end of a command, as an exit code and as one sentence.
 */
#include "base/buf.h"
#include "base/json.h"

/** outcome_exit_code() - of a RECORD, as the list of exit codes says */
int outcome_exit_code(const cJSON *record);

typedef enum Limit {
        LIMIT_NONE,
        LIMIT_MEMORY,
        LIMIT_PIDS,
        LIMIT_DISK,
        LIMIT_WALL,
        LIMIT_CPU_TIME,
        _LIMIT_MAX,
} Limit;

typedef struct OutcomeFacts { /* what the caller knows beside the record */
        const char *name;     /* of the program, borrowed; NULL: unknown */
        uint64_t memory;      /* the limit that was asked for, 0: the policy's */
        unsigned given;       /* BIT(LIMIT_*): limits that the call asked for itself */
        bool is_in_jail;      /* the jail was there before: others are the jail's or its policy's */
        bool is_verify;       /* others are the spec's or its policy's */
} OutcomeFacts;

/** outcome_sentence() - append to @text why the command ended; nothing where it just exited */
void outcome_sentence(const cJSON *record, const OutcomeFacts *facts, Buf *text);

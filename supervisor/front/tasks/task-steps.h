#pragma once
/*
 * task-steps: what the steps of a task have committed, in the ledger. A step instance commits once, under its
 * path ("loop[2]/code"); what committed below the path before is superseded then: its rows stay for a
 * while, so that `task undo` finds them, but are no part of the journal that a resumed agent gets.
 *
 * A commit names the workspace of its moment: nothing over the base, or a layer, or nothing is known of it (there
 * was no room for the layer): such a one can be gone on from only together with a later one.
 */
#include "base/digest.h"
#include "supervisor/front/ledger.h"

#define STEP_JOURNAL_MAX    (64ull << 20) /* bytes of all outputs that count */
#define STEP_JOURNAL_INLINE (128u << 10)  /* a larger journal goes by a descriptor */
#define STEP_HISTORY_MAX    2000u         /* superseded commits that are kept to be gone back to */
#define STEP_KEPT_MAX \
        (128ull << 20) /* bytes of all of them and of what they name; above it older ones go */

typedef struct Task Task;

typedef enum TaskWork { WORK_UNKNOWN = 0, WORK_BASE, WORK_LAYER } TaskWork;

typedef struct TaskSteps {          /* of one task: what its last commit says */
        uint64_t seq;               /* of the last commit; 0: none */
        uint64_t state, memory;     /* seq of the present values; 0: none */
        uint64_t bytes;             /* of outputs that count, as far as they were counted */
        uint64_t kept;              /* of all that the ledger keeps of the steps, likewise */
        bool is_full;               /* either is too much, and nothing can go: until the next run */
        TaskWork work;              /* the workspace of the last commit … */
        uint8_t layer[DIGEST_SIZE]; /* … where it is a layer; the rows hold it */
        uint64_t work_seq;          /* the last commit whose workspace is known */
        bool is_dirty;              /* something that can write has run since */
        bool has_under; /* the jail stands on this layer, which the task holds; layers hold only what is above */
        uint8_t under[DIGEST_SIZE];
} TaskSteps;

typedef struct StepCommit {   /* borrowed */
        const char *path;     /* "loop[2]/code" */
        const char *replaces; /* another path whose commits do not count any more; NULL: none */
        const char *output;   /* JSON text; NULL: it has only begun (and has effects outside) */
        const char *state;    /* JSON text; NULL: as it was */
        const char *memory;   /* likewise */
        TaskWork work;
        const uint8_t *layer; /* of WORK_LAYER; held for the row, which lets it go */
        uint64_t layer_bytes;
} StepCommit;

/** task_steps_commit() - with what the task has used so far, in one transaction. Returns: 0, -E2BIG: the journal is full, negative errno */
int task_steps_commit(Task *task, const StepCommit *commit, Error *err);
/** task_steps_has_layer() - does a row of the task name (and so hold) this layer */
bool task_steps_has_layer(const Task *task, const uint8_t *layer);
/** task_steps_load() - task->steps from the ledger: what the last commit says */
int task_steps_load(Task *task, Error *err);

/** task_steps_journal() - {"commits": …, "state": …, "memory": …} as fresh text */
int task_steps_journal(const Task *task, char **ret_text, size_t *ret_n, Error *err);

#pragma once
/*
 * task-gate: from the task's jail to a verdict, and what the verdict means for the task. What the agent says
 * about itself is a claim; here is what counts.
 */
#include "supervisor/front/tasks/agent-socket.h"

#define TASK_TAMPERED_MAX 2u /* the verdict `tampered` is fed back once; this one ends the task */

typedef struct FinishClaim {
        bool failed;         /* the agent says that it could not do it */
        const char *cause;   /* then: why, in a word; NULL: none given */
        const char *summary; /* NULL: none */
        uint64_t used,
                most; /* at a limit of its own: how often it saw what, and how often is the end; 0: not told */
} FinishClaim;

/**
 * task_gate_verify() - the agent asks for a verdict, of its workspace or of the fork that @params name
 * Returns: 0 and the call is answered (or the task has ended); -EBUSY: one is under way; negative errno.
 */
int task_gate_verify(AgentCall *call, const cJSON *params, Error *err);

/** task_gate_end_fork() - the work that is being judged, if it is this fork's, is not wanted any more */
void task_gate_end_fork(Task *task, uint64_t fork);

/** task_gate_cancel() - nobody waits for this verdict any more: the call is freed; another's is none of its affair */
void task_gate_cancel(AgentCall *call);

/**
 * task_gate_finish() - the agent says that it is done
 *
 * `verified` where the present patch is the one that the last verdict calls passed; where it is another, it
 * is verified once more, which counts. Else `unverified`; `limit` or `error` where the agent gave up.
 *
 * Returns: as task_gate_verify().
 */
int task_gate_finish(AgentCall *call, const FinishClaim *claim, Error *err);

/** task_gate_note() - the agent began this step; @step, @path: as it says, NULL: not said */
void task_gate_note(Task *task, const char *step, const char *path, uint64_t iteration);

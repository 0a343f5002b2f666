#pragma once
/*
 * task-park: a task stops running and goes on later: while it waits for a person, after its agent, its egress or its
 * jail is lost, after the supervisor itself was. What goes on is what was committed: the workspace of the
 * last commit in a fresh jail, the journal in a fresh agent; counters and breakers go on counting.
 */
#include "supervisor/front/tasks/task.h"

#define TASK_RESTARTS_MAX \
        5u /* losses running, without a commit between them, from which a task is taken up by itself */

/**
 * task_park() - to `suspended`: agent and jails are ended, memory is freed
 * @cause: a word: "ask"; it is the task's cause while it waits
 * @why:   a sentence; NULL: none
 *
 * Commits that are on their way come first, so this may happen a little later. A step that is under way is run
 * again from its start after task_unpark(). A client that the task followed is let go of: it is kept from now on.
 *
 * Returns: 0; -EINVAL where the task does not run.
 */
int task_park(Task *task, const char *cause, const char *why, Error *err);
/** task_park_keep() - it goes on without its client, and without this front */
void task_park_keep(Task *task);
/** task_park_go_on() - for task-commit.c: the last commit that was on its way is in the ledger */
void task_park_go_on(Task *task);

/**
 * task_unpark() - a suspended task goes on, as soon as there is a place for it (`queued`)
 * @cause: why, for the receipt: "approved", "resumed", "agent_lost", "supervisor_lost"
 * Where the key of its model was lost with an earlier front it stays suspended (`model_key`): task.resume brings it.
 *
 * Returns: 0; -EINVAL where it is not suspended.
 */
int task_unpark(Task *task, const char *cause, Error *err);

/** task_take_up() - at start: it was lost with a front while it ran. Without its model's key it stays suspended */
void task_take_up(Task *task);

/**
 * task_lost() - something that the task needs has died: it is taken up again from its last commit
 *
 * After TASK_RESTARTS_MAX of them it ends with `error` and @cause.
 */
void task_lost(Task *task, const char *cause, const char *why);

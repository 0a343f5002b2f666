#pragma once
/*
 * task-saves: what a task needs to be taken up again by another front: what it was given (kept from the moment its
 * base is there), and what it has used and has been told. Its steps are task-steps.h's.
 *
 * A row stays after the task's end, so that it can be resumed or undone: task-history.h says for how long.
 */
#include "supervisor/front/tasks/task.h"

/** task_saves_given() - the base is there: from now on the task can be taken up. Returns: 0 or negative errno */
int task_saves_given(Task *task, Error *err);
/** task_saves_counters() - what it has used, and its verdicts; a task without a row: nothing */
int task_saves_counters(const Task *task, Error *err);
/** task_saves_keep() - it goes on without its client: another front takes it up by itself */
int task_saves_keep(const Task *task, Error *err);

/**
 * task_saves_load() - a task of the ledger that is not alive
 * @ret: suspended, in no list, owned by the caller
 *
 * Returns: 0; -ENOENT: it is not kept (any more); -ENOTSUP: another build of warder kept it; negative errno.
 */
int task_saves_load(Front *front, const char *id, Task **ret, Error *err);

/** task_saves_alive() - ids of kept tasks that a lost front left alive: at most @max. Returns: how many */
unsigned task_saves_alive(Front *front, char (*ids)[ID_MAX], unsigned max);
/** task_saves_give_up() - at start: this one cannot be taken up: task_ledger_recover() ends it */
void task_saves_give_up(Front *front, const char *id);

#pragma once
/*
 * task-progress: what a task's work has used of processor time and output, and whether its verdicts get
 * anywhere. Nothing that an agent says or leaves out has a part in it.
 *
 * Processor time is that of both jails of the task as the kernel counts it, daemons included, and of all
 * tests that were run for it; output is what its commands and tests printed, kept or not.
 *
 * A verdict makes progress where neither its patch nor what failed was in an earlier verdict of the task:
 * so the same failure under another patch does not, nor do two failures that take turns. What failed is:
 * verdict, cause, and the names of failing, missing and newly skipped tests; where none is named, what the
 * detail for people shows. LIMIT: an agent that breaks something new each time makes progress by that
 * measure; it has its verifies.
 */
#include "supervisor/front/tasks/task.h"

/** task_meter_start() - look at the clocks of its jails from now on, once a second. Returns: 0 or negative errno */
int task_meter_start(Task *task, Error *err);
/** task_meter_jail() - processor time of a jail, where it is there and has used more than @usec says */
void task_meter_jail(const Task *task, const char *id, uint64_t *usec);
/** task_meter_read() - count what was used since. Returns: true, or false and the task has ended with `limit` */
bool task_meter_read(Task *task);

/**
 * task_progress_note() - a verdict has come
 * Counts how many of them running, this one included, were without progress (a first one counts 1; `passed`: 0).
 * Returns: 0 or -ENOMEM
 */
int task_progress_note(Task *task, const VerifyEnd *end);

/** task_budget_line() - what is left of everything, for the agent: a sentence; fresh, NULL: no memory */
char *task_budget_line(const Task *task);
/**
 * task_progress_text() - the detail of the last verdict, and how many verdicts there still are, for a model
 * Returns: fresh text that says the same for the same verdicts; NULL: no memory
 */
char *task_progress_text(const Task *task, const char *detail);

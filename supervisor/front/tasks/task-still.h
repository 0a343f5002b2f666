#pragma once
/*
 * task-still: a suspended task that keeps agent and jails, because its agent knows what it has not committed. It
 * stands still: the clocks of the task and its jails are stopped, and its commands, those in forks too, are
 * frozen. The agent itself is not: it says when it has something to do again.
 *
 * It keeps no place from others, so it needs one to run again, as a task in the queue does.
 */
#include "supervisor/front/tasks/task.h"

/** task_still_begin() - of one that runs; it is suspended then, or has failed */
void task_still_begin(Task *task);
/**
 * task_still_wake() - there is something to do
 * Returns: does it run; else it stands still, and goes on as soon as there is a place (or it has ended).
 */
bool task_still_wake(Task *task);
/** task_still_place() - for tasks.c: it has got one. What people said meanwhile is told to its agent */
void task_still_place(Task *task);

#pragma once
/*
 * task-start: from queued to running: the base, setup, the two jails, the way to the model, the agent.
 */
#include "supervisor/front/tasks/task.h"

/** task_start() - of a queued task; what fails ends it */
void task_start(Task *task);
/** task_start_route() - both jails are there: make the way to the model, as soon as there is an egress; for tasks.c too */
void task_start_route(Task *task);
/** task_start_agent() - everything is there: run warder-agent; for task-model.c too */
void task_start_agent(Task *task);
/** task_start_clock() - its time runs, what was used before counts. Returns: 0 or negative errno */
int task_start_clock(Task *task, Error *err);
/** task_stop_clock() - it stands still: nobody works on the task */
void task_stop_clock(Task *task);

#pragma once
/*
 * task-show: task.list and task.show, a page at a time: what may be looked at of tasks.
 */
#include "supervisor/front/calls.h"

/** task_show_list() - task.list: what waits for the caller, then its tasks. Returns: as MethodRow.run */
int task_show_list(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err);
/** task_show_one() - task.show: the task, its verdicts, what it asked. Returns: as MethodRow.run */
int task_show_one(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err);

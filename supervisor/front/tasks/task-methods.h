#pragma once
/*
 * task-methods: task.*, what clients may ask about tasks.
 */
#include "supervisor/front/clients.h"

typedef struct Task Task;

/** task_methods - rows of the method table, ended by a NULL name */
extern const MethodRow task_methods[];

/** task_method_start() - the rest of task.start and task.replay; @task_consume is consumed. Returns: as MethodRow.run */
int task_method_start(Front *front, Call *call, Task *task_consume, cJSON **ret_result, Error *err);
/** task_method_show() - the task's row, for who may read what the agent did and made. Returns: 0, -ENOENT, -EACCES */
int task_method_show(Front *front, Call *call, const char *id, cJSON **ret, Error *err);

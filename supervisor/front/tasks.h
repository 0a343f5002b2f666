#pragma once
/*
 * tasks: tasks, verdicts and the agents' sockets: methods verify.* and task.*; owner of the gate.
 */
#include "supervisor/front/clients.h"

int tasks_new(Front *front, Tasks **ret, Error *err);
Tasks *tasks_free(Tasks *tasks);
/** tasks_busy() - is a task alive that needs the supervisor */
bool tasks_busy(const Tasks *tasks);
/** tasks_egress_ready() - FRONT_FD_EGRESS is readable */
void tasks_egress_ready(Tasks *tasks);

/** verify_methods, task_methods - rows of the method table, ended by a NULL name */
extern const MethodRow verify_methods[];
extern const MethodRow task_methods[];

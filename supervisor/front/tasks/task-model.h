#pragma once
/*
 * task-model: how a task's agent reaches its model: a listener in the agent's jail that leads to egress,
 * and what egress reports, counted against the task's budgets.
 */
#include "supervisor/front/tasks/task.h"

#define TASK_REPLY_BYTES_MAX (16ull << 20) /* of one model reply */

/** task_model_route() - make the listener and open the route; task_model_opened() goes on from there */
int task_model_route(Task *task, FrontJail *agent_jail, Error *err);
/** task_model_opened() - egress has the route, or says why not */
void task_model_opened(Task *task, const EgressEvent *event);
/** task_model_refused() - egress let a request of a command go nowhere: said in the log. @path: its step instance, or NULL */
void task_model_refused(Task *task, const EgressEvent *event, const char *path);
/** task_model_called() - a model call has ended: the agent's own, or @by_command one of a command in the task's jail */
void task_model_called(Task *task, const EgressEvent *event, bool by_command);
/** task_model_limit() - egress refused a call: a limit of the route */
void task_model_limit(Task *task, const EgressEvent *event);
/** task_model_lost() - egress is gone: every task with a route ends */
void task_model_lost(Front *front);
/** task_model_json() - member "model" of task.info, fresh; NULL: no memory */
cJSON *task_model_json(const Task *task);

#pragma once
/*
 * agent-exec: the agent's `exec`: a command in the task's jail, and, where it asks for one, a way to the task's
 * model that lives as long as the command: init listens on a port of the jail's loopback, egress answers there
 * with the task's key, model and budgets (EGRESS_BRANCH). The listener is the identity; no key is in the jail.
 */
#include "supervisor/front/tasks/agent-socket.h"

#define EXEC_ARGS_MAX    256
#define EXEC_OUTPUT_KEEP (64u * 1024) /* escaped as JSON it still fits a line */

/** agent_exec_take_step() - where the agent says that it is, by its call: an instance path. Returns: 0, -ENOMEM */
int agent_exec_take_step(AgentCall *call, const cJSON *params, Error *err);
/** agent_exec() - the method. Returns: as AgentMethod's run */
int agent_exec(AgentCall *call, const cJSON *params, Error *err);
/** agent_exec_opened() - egress has the command's route, or says why not */
void agent_exec_opened(AgentCall *call, const EgressEvent *event);
/** agent_exec_called() - a model call of the command has ended: counted for its record */
void agent_exec_called(AgentCall *call, const EgressEvent *event);

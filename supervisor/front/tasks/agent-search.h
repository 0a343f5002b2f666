#pragma once
/*
 * agent-search: names and text in the task's tree, found by warder-files in a jail of its own that sees the
 * task's tree read-only.
 */
#include "supervisor/front/tasks/agent-socket.h"

#define AGENT_TREE_MAX    400  /* paths in task.info */
#define AGENT_MATCHES_MAX 1000 /* of one search, as warder-files itself bounds them */

/** agent_search() - method "search". Returns: 0 and the call is answered later; negative errno */
int agent_search(AgentCall *call, const cJSON *params, Error *err);
/** agent_info() - method "task.info", with the first paths of the tree. Returns: likewise */
int agent_info(AgentCall *call, const cJSON *params, Error *err);

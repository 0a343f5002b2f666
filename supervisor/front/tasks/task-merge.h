#pragma once
/*
 * task-merge: what a fork of a task's workspace changed, merged with what the workspace is now, by warder-files in a
 * jail of its own (sandbox/files/merge.h). Nothing is changed by it: the agent gets what is to change and lays it,
 * into the workspace, or where there are conflicts into a fork in which somebody resolves them.
 *
 * What is to change can be 64 MiB, in memory that no jail is charged for. So the agent gets no file that it could keep, but
 * a pipe, and one at a time: until it has read all of it, or closed it, another merge is busy. More than one of them
 * a task never holds, whatever its agent does with what it gets.
 */
#include "supervisor/front/tasks/agent-socket.h"

#define TASK_CONFLICTS_MAX 200u /* that an answer names */

typedef struct TaskMerge TaskMerge;

/** task_merge() - the method merge. Returns: as AgentMethod.run */
int task_merge(AgentCall *call, const cJSON *params, Error *err);
/** task_merges_stop() - let what stands still go on; nobody is answered any more */
void task_merges_stop(Task *task);

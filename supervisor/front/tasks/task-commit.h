#pragma once
/*
 * task-commit: the agent's `checkpoint`: a step instance has committed. The answer comes when it is in the ledger,
 * with the workspace of that moment, of which a layer is made only if something that can write ran since the
 * last commit. Commits that come meanwhile wait in order.
 *
 * What a process that a step left running writes later is saved with the next step that runs something.
 */
#include "supervisor/front/tasks/agent-socket.h"

typedef struct TaskCommits TaskCommits;

/** task_commit_schema - JSON Schema of checkpoint's parameters */
extern const char task_commit_schema[];

/** task_commit() - the method checkpoint. Returns: as AgentMethod.run */
int task_commit(AgentCall *call, const cJSON *params, Error *err);
/** task_touched() - something that can write runs in the task's jail, or has just ended */
void task_touched(Task *task);
/** task_commits_wait() - is a commit on its way */
bool task_commits_wait(const Task *task);
/** task_commits_cancel() - what waits is not answered any more, nor committed. Fine where nothing does */
void task_commits_cancel(Task *task);

/** task_commits_add_journal() - "journal" for task.info, or "journal_fd" and a fresh descriptor where it is large; -EBADF */
int task_commits_add_journal(Task *task, cJSON *info, unsigned index, int *ret_fd, Error *err);

#pragma once
/*
 * task-history: commits of a task that do not count any more, and the layers of all of them: kept so that `task undo`
 * can go back, bounded, and let go with the task.
 *
 * Each layer that a row of a task names is held once for that task (layer-holds.h).
 */
#include "supervisor/front/paging.h"
#include "supervisor/front/tasks/task-steps.h"
#include "supervisor/front/tasks/tasks.h"

#define STEPS_PART        's' /* of a page */
#define HISTORY_TASKS_MAX 4u  /* ended tasks of each owner whose workspaces are kept */

/**
 * task_history_find() - the newest commit of @path that can be gone back to
 * @path: "start": before the first step, number 0
 * Returns: 0 and its number; -ENOENT with a sentence.
 */
int task_history_find(Front *front, const char *task, const char *path, uint64_t *ret_seq,
                      Error *err);
/**
 * task_history_back() - undo what was committed after @seq
 *
 * That a step with effects outside had begun stays known: it is not repeated silently.
 */
int task_history_back(Front *front, const char *task, uint32_t owner, uint64_t seq, Error *err);
/** task_history_list() - commits, oldest first, as far as a page goes: its part STEPS_PART. Returns: 0, -EIO */
int task_history_list(Front *front, const char *task, Paging *paging, cJSON *list, Error *err);

/** task_history_purge() - of superseded commits those beyond STEP_HISTORY_MAX go */
void task_history_purge(Task *task);
/** task_history_shrink() - the ledger holds too much of the task: only its last commit can be gone back to */
void task_history_shrink(Task *task);
/** task_history_evict() - let the oldest layer go that the task does not need to go on. Returns: was there one */
bool task_history_evict(Task *task);
/** task_history_forget() - all rows of a task, and their layers */
void task_history_forget(Front *front, Holds *holds, const char *task, uint32_t owner);
/** task_history_forget_old() - of @owner's ended tasks those beyond HISTORY_TASKS_MAX can not be gone back to any more */
void task_history_forget_old(Front *front, Holds *holds, uint32_t owner);
/** task_history_leave() - the task's jail does not stand on a layer of its earlier work any more */
void task_history_leave(Task *task);
/** task_history_evict_ended() - let the workspaces of @owner's oldest ended task go. Returns: was there one */
bool task_history_evict_ended(Front *front, Holds *holds, uint32_t owner);
/** task_history_hold() - at start: the layers of all rows */
int task_history_hold(Front *front, Holds *holds, Error *err);

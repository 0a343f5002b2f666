#pragma once
/*
 * task-ledger: rows of tasks, verdicts and patches. A task that has ended is shown from here.
 */
#include "supervisor/front/ledger.h"
#include "supervisor/front/paging.h"
#include "supervisor/front/tasks/task.h"

#define VERDICTS_PART  'v' /* of a page */
#define TASKS_PART     't'
#define TASKS_KEPT_MAX 1000u /* ended ones of each owner that can still be shown */

/** task_ledger_save() - insert or update the row; of a state that is told: events_save_state() */
int task_ledger_save(const Task *task, Error *err);
/** task_ledger_verdict() - the @n-th verdict, on disk when this returns */
int task_ledger_verdict(const Task *task, uint64_t n, const cJSON *verdict, Error *err);
/** task_ledger_patch() - the task's present patch (whole of @fd), in place of an older one */
int task_ledger_patch(const Task *task, int fd, const uint8_t *digest, Error *err);

/**
 * task_ledger_show() - a task as task.show tells it, alive or not, but for its verdicts and questions
 * @uid:  as whom (0: all)
 * Returns: 0 and a fresh object; -ENOENT with a sentence.
 */
int task_ledger_show(Front *front, const char *id, uint32_t uid, cJSON **ret, Error *err);
/** task_ledger_verdicts() - of a task, oldest first, as far as a page goes: its part VERDICTS_PART */
void task_ledger_verdicts(Front *front, const char *id, Paging *paging, cJSON *list);
/** task_ledger_list() - the tasks that @uid may see (0: all), newest first: part TASKS_PART. Returns: 0, -EIO */
int task_ledger_list(Front *front, uint32_t uid, Paging *paging, cJSON *list, Error *err);
/** task_ledger_take_patch() - a fresh memfd with the patch. Returns: 0, -ENOENT: there is none yet */
int task_ledger_take_patch(Front *front, const char *id, int *ret_fd, uint8_t *ret_digest,
                           Error *err);
/** task_ledger_forget() - @task has ended: of its owner's the oldest beyond TASKS_KEPT_MAX go; others' stay */
void task_ledger_forget(const Task *task);
/** task_ledger_recover() - at start: tasks that a lost front left alive, and that none takes up, become `error`; of each owner the oldest beyond TASKS_KEPT_MAX go */
int task_ledger_recover(Front *front, Error *err);

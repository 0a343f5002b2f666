/*
 * task-park: see task-park.h.
 *
 * Parking is an end of the run and no more: everything that must outlive it is in the ledger since its commit. Going
 * on is the way of a new task (queued, preparing, running) but for the base, which is there.
 */
#include "supervisor/front/tasks/task-park.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/front/store/layer-holds.h"
#include "supervisor/front/tasks/task-commit.h"
#include "supervisor/front/tasks/task-history.h"
#include "supervisor/front/tasks/task-ledger.h"
#include "supervisor/front/tasks/task-progress.h"
#include "supervisor/front/tasks/task-saves.h"

/* ---- stopping ------------------------------------------------------------------------------------ */

static void stop(Task *task) {
        task_stop_run(task);
        task->gate.for_finish = false;
        task->gate.begun = task->gate.at = (TaskStep){ 0 };
        task->is_parking = false;
}

int task_park(Task *task, const char *cause, const char *why, Error *err) {
        if (task->state != TASK_RUNNING)
                return error_say(err, -EINVAL, "task %s does not run", task->id);
        (void) snprintf(task->cause, sizeof(task->cause), "%s", cause);
        (void) snprintf(task->summary, sizeof(task->summary), "%s", why ? why : "");
        task->is_parking = true;
        task_park_go_on(task);
        return 0;
}

void task_park_keep(Task *task) {
        Error err = ERROR_EMPTY;

        task_unfollow_client(task);
        task->keep = true;
        if (task_saves_keep(task, &err) < 0)
                log_event(LOG_ERR, "a task does not survive the supervisor", F("TASK", task->id),
                          F_ERR(&err));
}

void task_park_go_on(Task *task) {
        if (!task->is_parking || task_is_final(task) || task_commits_wait(task))
                return;
        stop(task);
        task_park_keep(task);
        task_set_state(task, TASK_SUSPENDED);
        tasks_next(task->front->tasks);
}

/* ---- going on ------------------------------------------------------------------------------------ */

/* The workspace of the last commit that has one; what was committed later is undone */
static int go_to_last_work(Task *task, Error *err) {
        uint64_t seq = task->steps.work_seq;
        int r;

        if (task->steps.work == WORK_UNKNOWN) {
                r = task_history_back(task->front, task->id, task->owner_uid, seq, err);
                if (r < 0)
                        return r;
        }
        task_history_leave(task);
        r = task_steps_load(task, err);
        if (r < 0 || task->steps.work != WORK_LAYER)
                return r;
        r = hold_take(tasks_holds(task->front->tasks), task->steps.layer, task->owner_uid, err);
        if (r < 0)
                return r;
        task->steps.has_under = true;
        memcpy(task->steps.under, task->steps.layer, DIGEST_SIZE);
        return 0;
}

static void tell(Task *task, const char *cause) {
        const EventHead head = { .event = "notice" };
        cJSON *data = cJSON_CreateObject(), *line = cJSON_CreateObject();

        json_add_text(data, "phase", "resume");
        json_add_text(data, "cause", cause);
        json_add_number(data, "commits", task->steps.seq);
        events_emit(task, &head, data);
        json_add_text(line, "cause", cause);
        json_add_number(line, "commit", task->steps.seq);
        if (receipt_add(task->front, &task->receipt, "resume", line) < 0)
                task_end(task, TASK_ERROR, "ledger",
                         "the task's receipt could not be written: see the supervisor's log");
}

static int go_on(Task *task, const char *cause, Error *err) {
        int r = go_to_last_work(task, err);

        if (r < 0)
                return r;
        task->cause[0] = task->summary[0] = 0;
        tell(task, cause);
        if (task_is_final(task))
                return 0;
        task_set_state(task, TASK_QUEUED);
        tasks_next(task->front->tasks);
        return 0;
}

/* The key was with who started it, and with a supervisor that is gone: it waits for somebody to bring it again */
static bool wait_for_key(Task *task, const char *why) {
        Error err = ERROR_EMPTY;
        cJSON *event;

        if (task->model.provider != PROVIDER_OPENAI || task->model.fd >= 0)
                return false;
        (void) snprintf(task->cause, sizeof(task->cause), "model_key");
        (void) snprintf(task->summary, sizeof(task->summary),
                        "%s; its model's key was lost with a supervisor: warder task resume", why);
        if (events_save_state(task, &event, &err) < 0)
                log_event(LOG_ERR, "the ledger does not take a task", F("TASK", task->id),
                          F_ERR(&err));
        events_tell_state_consume(task, event);
        return true;
}

int task_unpark(Task *task, const char *cause, Error *err) {
        if (task->state != TASK_SUSPENDED)
                return error_say(err, -EINVAL, "task %s is %s, not suspended", task->id,
                                 task_state_name(task->state));
        return wait_for_key(task, "what it waited for is there") ? 0 : go_on(task, cause, err);
}

void task_lost(Task *task, const char *cause, const char *why) {
        Error err = ERROR_EMPTY;

        if (task_is_final(task))
                return;
        if (!task->base.has_base || task->restarts >= TASK_RESTARTS_MAX) {
                task_end(task, TASK_ERROR, cause, why);
                return;
        }
        task->restarts++;
        log_event(LOG_WARNING, "a task goes on from its last commit", F("TASK", task->id),
                  F("CAUSE", cause));
        stop(task);
        if (!task_meter_read(task)) /* a run too short to be looked at counts as well */
                return;
        if (go_on(task, cause, &err) < 0)
                task_end(task, TASK_ERROR, cause, err.text);
}

void task_take_up(Task *task) {
        const char *cause = "supervisor_lost", *why = "the supervisor ended while the task ran";
        Error err = ERROR_EMPTY;

        task->was_running = false;
        if (task->restarts >= TASK_RESTARTS_MAX) {
                task_end(task, TASK_ERROR, cause, why);
                return;
        }
        task->restarts++;
        (void) task_saves_counters(task, &err);
        if (!wait_for_key(task, why) && go_on(task, cause, &err) < 0)
                task_end(task, TASK_ERROR, cause, err.text);
}

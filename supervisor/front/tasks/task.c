/*
 * task: see task.h.
 *
 * What is pending (jails that are being made or taken down, the agent's command, the calls of jails) is
 * counted: each brings a callback that names the task, so the struct stays until the last has come.
 */
#include "supervisor/front/tasks/task.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/egress-link.h"
#include "supervisor/front/jails/jail-still.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/tasks/agent-socket.h"
#include "supervisor/front/tasks/task-ask.h"
#include "supervisor/front/tasks/task-commit.h"
#include "supervisor/front/tasks/task-fork.h"
#include "supervisor/front/tasks/task-history.h"
#include "supervisor/front/tasks/task-ledger.h"
#include "supervisor/front/tasks/task-merge.h"
#include "supervisor/front/tasks/task-progress.h"
#include "supervisor/front/tasks/task-receipt.h"
#include "supervisor/front/tasks/task-saves.h"

#define FINAL_STATES                                                                        \
        (BIT(TASK_VERIFIED) | BIT(TASK_UNVERIFIED) | BIT(TASK_LIMIT) | BIT(TASK_TAMPERED) | \
         BIT(TASK_ERROR) | BIT(TASK_CANCELLED))

static const char *const state_names[_TASK_STATE_MAX] = {
        [TASK_QUEUED] = "queued",       [TASK_PREPARING] = "preparing",
        [TASK_RUNNING] = "running",     [TASK_VERIFIED] = "verified",
        [TASK_LIMIT] = "limit",         [TASK_UNVERIFIED] = "unverified",
        [TASK_TAMPERED] = "tampered",   [TASK_ERROR] = "error",
        [TASK_CANCELLED] = "cancelled", [TASK_SUSPENDED] = "suspended",
};

/* from -> allowed successors; only what ran can be judged */
static const uint16_t next_states[_TASK_STATE_MAX] = {
        [TASK_QUEUED] = BIT(TASK_PREPARING) | BIT(TASK_SUSPENDED) | BIT(TASK_LIMIT) |
                        BIT(TASK_ERROR) | BIT(TASK_CANCELLED),
        [TASK_PREPARING] = BIT(TASK_RUNNING) | BIT(TASK_SUSPENDED) | BIT(TASK_LIMIT) |
                           BIT(TASK_QUEUED) | BIT(TASK_ERROR) | BIT(TASK_CANCELLED),
        [TASK_RUNNING] = BIT(TASK_QUEUED) | BIT(TASK_SUSPENDED) | FINAL_STATES,
        [TASK_SUSPENDED] = BIT(TASK_QUEUED) | BIT(TASK_RUNNING) | FINAL_STATES,
};

static const char *const budget_names[_TASK_BUDGET_MAX] = {
        [BUDGET_VERIFIES] = "verifies",
        [BUDGET_COMMANDS] = "commands",
        [BUDGET_CALLS] = "calls",
        [BUDGET_TOKENS] = "tokens",
        [BUDGET_MONEY] = "money",
        [BUDGET_WALL_USEC] = "wall_usec",
        [BUDGET_CPU_USEC] = "cpu_usec",
        [BUDGET_OUTPUT_BYTES] = "output_bytes",
        [BUDGET_NO_PROGRESS] = "no_progress",
};

/* As causes, and in requests */
static const char *const limit_names[_TASK_BUDGET_MAX] = {
        [BUDGET_VERIFIES] = "verifies",
        [BUDGET_COMMANDS] = "commands",
        [BUDGET_CALLS] = "calls",
        [BUDGET_TOKENS] = "tokens",
        [BUDGET_MONEY] = "money",
        [BUDGET_WALL_USEC] = "wall",
        [BUDGET_CPU_USEC] = "cpu",
        [BUDGET_OUTPUT_BYTES] = "output",
        [BUDGET_NO_PROGRESS] = "no_progress",
};

const char *task_state_name(TaskState state) {
        return state_names[state];
}

const char *task_budget_name(TaskBudget budget) {
        return budget_names[budget];
}

const char *task_limit_name(TaskBudget budget) {
        return limit_names[budget];
}

bool task_has_budget(const Task *task, TaskBudget budget) {
        return budget != BUDGET_MONEY || money_has_price(&task->model.price);
}

bool task_is_final(const Task *task) {
        return FINAL_STATES & BIT(task->state);
}

/* ---- life ---------------------------------------------------------------------------------------- */

static int on_reap(sd_event_source *source, void *userdata) {
        Task *task = userdata;

        (void) source;
        if (task_is_final(task) && task->pending == 0 && !events_owed(&task->events))
                tasks_drop(task->front->tasks, task);
        return 0;
}

int task_new(Front *front, Task **ret, Error *err) {
        SCOPED(task_free) Task *task = calloc(1, sizeof(*task));
        int r;

        if (!task)
                return error_set(err, -ENOMEM, "make a task");
        *task = (Task){ .front = front, .tar_fd = -EBADF, .held_fd = -EBADF };
        task->model.fd = -EBADF;
        task->gate.patch_fd = -EBADF;
        task->steps.work = WORK_BASE; /* nothing has run in it */
        task->number = ++front->next_id;
        task->created_usec = units_now();
        id_new('t', task->id);
        r = sd_event_add_defer(front->event, &task->reap, on_reap, task);
        if (r >= 0)
                r = sd_event_source_set_enabled(task->reap, SD_EVENT_OFF);
        if (r < 0)
                return error_set(err, r, "make a task");
        (void) sd_event_source_set_description(task->reap, "task-reap");
        *ret = TAKE_PTR(task);
        return 0;
}

static void on_client_gone(Client *client, void *userdata);

Task *task_free(Task *task) {
        if (!task)
                return NULL;
        if (task->client)
                client_unwatch(task->client, on_client_gone, task);
        jail_hold_free(task->hold);
        sd_event_source_disable_unref(task->wall);
        sd_event_source_disable_unref(task->meter_timer);
        samples_free(task->samples);
        sd_event_source_disable_unref(task->reap);
        free(task->gate.seen);
        agent_socket_free(task->socket);
        events_deinit(&task->events);
        if (task->front->tasks) {
                work_base_release(tasks_holds(task->front->tasks), &task->base);
                task_history_leave(task);
        }
        owned_close(&task->tar_fd);
        owned_close(&task->held_fd);
        owned_close(&task->model.fd);
        owned_close(&task->gate.patch_fd);
        verify_spec_free(task->spec);
        json_free(task->workflow);
        json_free(task->roles);
        json_free(task->params);
        free(task->request);
        free(task->origin);
        free(task);
        return NULL;
}

void task_reap_soon(Task *task) {
        (void) sd_event_source_set_enabled(task->reap, SD_EVENT_ONESHOT);
}

TaskRef *task_ref_new(Task *task, unsigned which) {
        TaskRef *ref = malloc(sizeof(*ref));

        if (!ref)
                return NULL;
        *ref = (TaskRef){ .task = task, .run = task->run, .which = which };
        task->pending++;
        return ref;
}

Task *task_ref_done(TaskRef *ref_consume) {
        Task *task = ref_consume->task;
        bool counts = ref_consume->run == task->run && !task_is_final(task);

        free(ref_consume);
        task_pending_done(task);
        return counts ? task : NULL;
}

void task_pending_done(Task *task) {
        task->pending--;
        task_reap_soon(task);
}

FrontJail *task_jail(const Task *task) {
        FrontJail *jail = task->jail[0] ? front_jail_find(task->front, task->jail, 0) : NULL;

        return jail && front_jail_state(jail) == FRONT_JAIL_READY ? jail : NULL;
}

/* ---- state --------------------------------------------------------------------------------------- */

void task_set_state(Task *task, TaskState state) {
        Error err = ERROR_EMPTY;
        cJSON *event;

        if (!(next_states[task->state] & BIT(state)))
                return;
        task->state = state;
        if (task_is_final(task))
                task->ended_usec = units_now();
        if (events_save_state(task, &event, &err) < 0)
                log_event(LOG_ERR, "the ledger does not take a task", F("TASK", task->id),
                          F_ERR(&err));
        if (task_is_final(task)) {
                task_ledger_forget(task);
                task_history_forget_old(task->front, tasks_holds(task->front->tasks),
                                        task->owner_uid);
        }
        log_event(LOG_INFO, "task", F("TASK", task->id), F("STATE", state_names[state]),
                  F("CAUSE", task->cause));
        events_tell_state_consume(task, event);
}

static void on_client_gone(Client *client, void *userdata) {
        Task *task = userdata;

        (void) client;
        task->client = NULL;
        task_end(task, TASK_CANCELLED, "client_gone", "the client that started the task is gone");
}

/* Everything that runs for the task; what still answers finds a task that has ended, or runs anew */
void task_stop_run(Task *task) {
        task->is_still = task->wants_place = false;
        task_commits_cancel(task);
        task_merges_stop(task);
        task_forks_stop(task);
        task->base_job = work_base_cancel(task->base_job);
        task->gate.diff = patch_diff_cancel(task->gate.diff);
        task->gate.verify = verify_cancel(task->gate.verify);
        task->gate.call = NULL;
        agent_socket_close(task->socket);
        if (task->egress_open)
                egress_link_close(task->front, task->number);
        task->egress_open = false;
        for (unsigned i = 0; i < ELEMENTS(task->making); i++) {
                if (task->making[i])
                        front_jail_end(task->making[i], NULL, NULL); /* its ready callback comes */
                task->making[i] = NULL;
        }
        task_meter_jail(task, task->jail, &task->jail_cpu_usec[0]);
        task_meter_jail(task, task->agent_jail, &task->jail_cpu_usec[1]);
        gate_jail_end(task->front, task->agent_jail); /* both are watched: their end is pending */
        gate_jail_end(task->front, task->jail);
        task->hold =
                jail_hold_free(task->hold); /* it ends as it stood: nothing of it runs once more */
        task->ask_diff = patch_diff_cancel(task->ask_diff);
        task->agent_jail[0] = task->jail[0] = 0;
        task->wall = sd_event_source_disable_unref(task->wall);
        task->meter_timer = sd_event_source_disable_unref(task->meter_timer);
        if (task->started_usec)
                task->used[BUDGET_WALL_USEC] = units_monotonic() - task->started_usec;
        task->started_usec = 0;
        task->meter.cpu_usec += task->jail_cpu_usec[0] + task->jail_cpu_usec[1];
        task->jail_cpu_usec[0] = task->jail_cpu_usec[1] = 0;
        task->run++;
}

void task_unfollow_client(Task *task) {
        if (task->client)
                client_unwatch(task->client, on_client_gone, task);
        task->client = NULL;
}

/* The curves of the jail that the agent's commands ran in, while it is still there to be read */
static void tell_usage(Task *task) {
        const EventHead head = { .event = "notice" };
        cJSON *samples = samples_take(TAKE_PTR(task->samples)), *data;

        if (!samples)
                return;
        data = cJSON_CreateObject();
        json_add_text(data, "phase", "usage");
        json_add_consume(data, "samples", samples);
        events_emit(task, &head, data);
}

void task_end(Task *task, TaskState state, const char *cause, const char *why) {
        if (task_is_final(task))
                return;
        if (!(next_states[task->state] & BIT(state)))
                state = TASK_ERROR;
        if (state == TASK_ERROR && monitor_is_gone(task->front->monitor)) {
                cause = "supervisor_lost";
                why = "the supervisor ended while the task ran";
                if (task->keep &&
                    task->base
                            .has_base) { /* what failed did so because all ends: the next front takes it up */
                        task_stop_run(task);
                        return;
                }
        }
        (void) snprintf(task->cause, sizeof(task->cause), "%s", cause ? cause : "");
        if (why)
                (void) snprintf(task->summary, sizeof(task->summary), "%s", why);
        tell_usage(task);
        task_stop_run(task);
        task_ask_end(task);
        task_unfollow_client(task);
        task_set_state(task, state);
        tasks_next(task->front->tasks);
        task_reap_soon(task);
}

void task_fail(Task *task, const char *cause, const Error *err) {
        task_end(task, TASK_ERROR, cause, err->text);
}

/* ---- budgets ------------------------------------------------------------------------------------- */

uint64_t task_used_now(const Task *task, TaskBudget budget) {
        bool runs = task->started_usec && !task_is_final(task);

        return budget == BUDGET_WALL_USEC && runs ? units_monotonic() - task->started_usec
                                                  : task->used[budget];
}

void task_trip(Task *task, const char *limit, const char *why) {
        EventHead head = { .event = "limit" };
        cJSON *data;

        if (task_is_final(task))
                return;
        data = cJSON_CreateObject();
        json_add_text(data, "limit", limit);
        for (unsigned i = 0; i < _TASK_BUDGET_MAX; i++) {
                if (strcmp(limit, limit_names[i]) != 0)
                        continue;
                json_add_number(data, "used", task_used_now(task, (TaskBudget) i));
                json_add_number(data, "most", task->budget[i]);
        }
        json_add_text(data, "text", why);
        events_emit(task, &head, data);
        task_receipt_limit(task, limit, why);
        task_end(task, TASK_LIMIT, limit, why);
}

const char *task_budget_text(const Task *task, TaskBudget budget, uint64_t value, char *text) {
        if (budget == BUDGET_WALL_USEC || budget == BUDGET_CPU_USEC)
                return units_format_duration(value, text);
        if (budget == BUDGET_OUTPUT_BYTES)
                return units_format_size(value, text);
        if (budget == BUDGET_MONEY)
                return money_format_short(value, task->model.currency, text);
        (void) snprintf(text, TASK_BUDGET_TEXT_MAX, "%llu", (unsigned long long) value);
        return text;
}

void task_count(Task *task, TaskBudget budget, uint64_t n) {
        Error err = ERROR_EMPTY;

        money_add(&task->used[budget], n);
        if (n > 0 && task_saves_counters(task, &err) < 0)
                log_event(LOG_ERR, "the ledger does not take what a task has used",
                          F("TASK", task->id), F_ERR(&err));
}

bool task_spend(Task *task, TaskBudget budget, uint64_t n) {
        bool fits = n <= task->budget[budget] && task->used[budget] <= task->budget[budget] - n;
        char why[200], used[TASK_BUDGET_TEXT_MAX], most[TASK_BUDGET_TEXT_MAX];

        if (!task_has_budget(task, budget))
                return true;
        if (fits) {
                task_count(task, budget, n);
                return true;
        }
        (void) snprintf(why, sizeof(why), "the task's budget of %s is used up: %s of %s",
                        limit_names[budget],
                        task_budget_text(task, budget, task->used[budget], used),
                        task_budget_text(task, budget, task->budget[budget], most));
        task_trip(task, limit_names[budget], why);
        return false;
}

static bool add_pair(const Task *task, TaskBudget budget, cJSON *json) {
        cJSON *pair = json_add_array(json, budget_names[budget]);
        uint64_t used = task_used_now(task, budget);

        if (!json_push_consume(pair, cJSON_CreateNumber((double) used)) ||
            !json_push_consume(pair, cJSON_CreateNumber((double) task->budget[budget])))
                return false;
        return budget != BUDGET_MONEY || !task->model.currency[0] ||
               json_push_text(pair, task->model.currency);
}

cJSON *task_used(const Task *task) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();

        for (unsigned i = 0; i < _TASK_BUDGET_MAX; i++)
                if (task_has_budget(task, (TaskBudget) i) && !add_pair(task, (TaskBudget) i, json))
                        return NULL;
        return TAKE_PTR(json);
}

int task_follow_client(Task *task, Client *client, Error *err) {
        if (client_watch(client, on_client_gone, task) < 0)
                return error_set(err, -ENOMEM, "watch the task's client");
        task->client = client;
        return 0;
}

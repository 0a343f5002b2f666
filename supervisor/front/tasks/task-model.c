/*
 * task-model: see task-model.h.
 */
#include "supervisor/front/tasks/task-model.h"

#include <stdio.h>

#include "base/owned.h"
#include "supervisor/front/egress-link.h"
#include "supervisor/front/tasks/task-park.h"
#include "supervisor/front/tasks/task-receipt.h"
#include "supervisor/front/tasks/task-start.h"

/* What is refused for it says so by EGRESS_LIMIT; 0 would be none at all */
static uint64_t left(const Task *task, TaskBudget budget) {
        uint64_t most = task->budget[budget], used = task->used[budget];

        return used < most ? most - used : 1;
}

static int open_route(Task *task, int listener_fd, Error *err) {
        EgressOpen open = { .number = task->number,
                            .listener_fd = listener_fd,
                            .key_fd = task->model.fd,
                            .calls_max = left(task, BUDGET_CALLS),
                            .tokens_max = left(task, BUDGET_TOKENS),
                            .money_max = task_has_budget(task, BUDGET_MONEY)
                                                 ? left(task, BUDGET_MONEY)
                                                 : 0,
                            .price = task->model.price,
                            .reply_bytes_max = TASK_REPLY_BYTES_MAX,
                            .base_url = task->model.base_url,
                            .model = task->model.name,
                            .allowed = task->model.allowed };
        int r;

        r = egress_link_open(task->front, &open, err);
        if (r < 0)
                return r;
        task->egress_open = true; /* the key stays, unread: another egress or agent may be needed */
        return 0;
}

static void on_listening(int fd, uint32_t port, const Error *err, void *userdata) {
        autoclose int listener_fd = fd;
        Task *task = task_ref_done(userdata);
        Error route_err = ERROR_EMPTY;

        if (!task)
                return;
        if (err) {
                task_fail(task, "egress", err);
                return;
        }
        task->model.port = port;
        if (open_route(task, listener_fd, &route_err) >= 0)
                return;
        if (route_err.code == -EINVAL) /* the address: another egress would not take it either */
                task_fail(task, "egress", &route_err);
        else /* its end was not yet heard */
                task_lost(task, "egress_lost", route_err.text);
}

int task_model_route(Task *task, FrontJail *agent_jail, Error *err) {
        TaskRef *ref = task_ref_new(task, 0);
        int r;

        if (!ref)
                return error_set(err, -ENOMEM, "make the way to the model");
        r = front_jail_listen(agent_jail, 0, on_listening, ref, err);
        if (r < 0)
                (void) task_ref_done(ref);
        return r;
}

void task_model_opened(Task *task, const EgressEvent *event) {
        Error err = ERROR_EMPTY;

        if (task->state != TASK_PREPARING)
                return; /* said twice: its agent runs */
        if (event->code < 0) {
                error_say(&err, event->code, "the model cannot be reached through egress: %s",
                          event->text);
                task_fail(task, "egress", &err);
                return;
        }
        task_start_agent(task);
}

/* Where the task is while a command with a way of its own runs. */
static EventHead event_head(const Task *task, const char *event) {
        const char *step = task->gate.begun.step;

        return (EventHead){ .event = event,
                            .step = *step ? step : NULL,
                            .iteration = task->gate.begun.iteration };
}

void task_model_refused(Task *task, const EgressEvent *event, const char *path) {
        EventHead head = event_head(task, "notice");
        cJSON *data = cJSON_CreateObject();
        char text[ERROR_TEXT_MAX + 64];

        (void) snprintf(text, sizeof(text), "egress refused a request (%d): %s", event->code,
                        event->text);
        if (path)
                json_add_text(data, "path", path);
        json_add_text(data, "phase", "refused");
        json_add_text(data, "text", text);
        head.from_agent = true; /* so many as there is room for: egress says how many there are */
        events_emit(task, &head, data);
}

/* All of it is on disk before any of it ends the task */
static void count(Task *task, const EgressEvent *event) {
        money_add(&task->used[BUDGET_TOKENS], event->tokens_in);
        money_add(&task->used[BUDGET_TOKENS], event->tokens_out);
        if (task_has_budget(task, BUDGET_MONEY))
                money_add(&task->used[BUDGET_MONEY], event->money);
        task_count(task, BUDGET_CALLS, 1);
}

void task_model_called(Task *task, const EgressEvent *event, bool by_command) {
        EventHead head =
                by_command ? event_head(task, "model.call") : (EventHead){ .event = "model.call" };
        cJSON *data = cJSON_CreateObject();

        count(task, event);
        if (by_command)
                json_add_text(data, "by", "command");
        json_add_number(data, "call", event->calls);
        json_add_consume(data, "status", cJSON_CreateNumber(event->code));
        json_add_number(data, "attempts", event->attempts);
        json_add_number(data, "tokens_in", event->tokens_in);
        json_add_number(data, "tokens_out", event->tokens_out);
        if (event->tokens_cached > 0)
                json_add_number(data, "tokens_cached", event->tokens_cached);
        if (event->guessed)
                json_add_bool(data, "guessed", true);
        if (task_has_budget(task, BUDGET_MONEY))
                json_add_number(data, "money", event->money);
        json_add_number(data, "wall_usec", event->wall_usec);
        if (event->text[0])
                json_add_text(data, "text", event->text);
        events_emit(task, &head, data);
        task_receipt_model(task, event);
        if (task_receipt_has_room(task) && task_spend(task, BUDGET_CALLS, 0) &&
            task_spend(task, BUDGET_TOKENS, 0))
                (void) task_spend(task, BUDGET_MONEY, 0);
}

/* Egress knows what this run of the task may still spend and what one more call would cost; the sum is here */
static void trip_money(Task *task, const EgressEvent *event) {
        char why[256], used[TASK_BUDGET_TEXT_MAX], most[TASK_BUDGET_TEXT_MAX],
                next[TASK_BUDGET_TEXT_MAX];

        (void) task_budget_text(task, BUDGET_MONEY, task->used[BUDGET_MONEY], used);
        (void) task_budget_text(task, BUDGET_MONEY, task->budget[BUDGET_MONEY], most);
        if (event->money > 0)
                (void) snprintf(why, sizeof(why),
                                "%s of %s are used, and what is left does not pay for one more "
                                "call of the model, which may cost %s or more",
                                used, most,
                                task_budget_text(task, BUDGET_MONEY, event->money, next));
        else
                (void) snprintf(why, sizeof(why), "the task's budget of money is used up: %s of %s",
                                used, most);
        task_trip(task, task_limit_name(BUDGET_MONEY), why);
}

void task_model_limit(Task *task, const EgressEvent *event) {
        TaskBudget budget = event->code == EGRESS_LIMIT_TOKENS ? BUDGET_TOKENS : BUDGET_CALLS;

        if (event->code == EGRESS_LIMIT_MONEY)
                trip_money(task, event);
        else
                task_trip(task, task_limit_name(budget),
                          event->text[0] ? event->text : "the task's model calls are used up");
}

void task_model_lost(Front *front) {
        Task *task;

        /* ending one may drop others from the list: look from the start each time */
        while ((task = tasks_find_routed(front->tasks)))
                task_lost(task, "egress_lost",
                          "warder-egress ended: the task had no way to its model");
}

cJSON *task_model_json(const Task *task) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        char url[64];

        json_add_text(json, "provider",
                      task->model.provider == PROVIDER_OPENAI ? "openai" : "replay");
        if (task->model.provider == PROVIDER_OPENAI) {
                (void) snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1", task->model.port);
                json_add_text(json, "base_url", url);
                json_add_text(json, "model", task->model.name);
        }
        return json ? TAKE_PTR(json) : NULL;
}

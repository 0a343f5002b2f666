/*
 * task-methods: see task-methods.h.
 */
#include "supervisor/front/tasks/task-methods.h"

#include "base/ids.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/policy/turns.h"
#include "supervisor/front/tasks/answer-methods.h"
#include "supervisor/front/tasks/task-ledger.h"
#include "supervisor/front/tasks/task-params.h"
#include "supervisor/front/tasks/task-show.h"
#include "supervisor/front/tasks/task.h"

/* ---- task.start ---------------------------------------------------------------------------------- */

typedef struct Starting { /* one that waits for its turn */
        Front *front;     /* borrowed */
        Call *call;       /* answered by us */
        Task *task;       /* owned */
} Starting;

static int add(Front *front, Call *call, Task *task_consume, cJSON **ret_result, Error *err) {
        SCOPED(task_free) Task *task = task_consume;
        cJSON *result;
        int r = 0;

        if (!task->keep && call_client(call))
                r = task_follow_client(task, call_client(call), err);
        if (r < 0)
                return r;
        result = cJSON_CreateObject();
        if (!json_add_text(result, "task", task->id)) {
                json_free(result);
                return error_set(err, -ENOMEM, "start a task");
        }
        r = tasks_add_consume(front->tasks, TAKE_PTR(task), err);
        if (r < 0)
                json_free(result);
        else
                *ret_result = result;
        return r;
}

static void on_turn(const Error *err, void *userdata) {
        autofree Starting *starting = userdata;
        cJSON *result = NULL;
        Error own = ERROR_EMPTY;

        if (err) {
                task_free(starting->task);
                call_fail(starting->call, NULL, err);
        } else if (add(starting->front, starting->call, starting->task, &result, &own) < 0) {
                quota_refuse(starting->front, starting->call, &own);
                call_fail(starting->call, NULL, &own);
        } else {
                call_answer(starting->call, result, NULL, 0);
        }
}

int task_method_start(Front *front, Call *call, Task *task_consume, cJSON **ret_result,
                      Error *err) {
        SCOPED(task_free) Task *task = task_consume;
        autofree Starting *starting = calloc(1, sizeof *starting);
        TurnSpec turn = { .call = call, .go = on_turn, .userdata = starting };
        int r;

        if (!starting)
                return error_set(err, -ENOMEM, "start a task");
        r = quota_charge_create(front, call_peer(call)->uid, err);
        if (r < 0)
                return r;
        turn.limits = &task->limits.plan;
        *starting = (Starting){ front, call, task };
        r = turn_take(front, &turn, err);
        if (r < 0)
                return r;
        if (r == TURN_E_WAITS) {
                (void) TAKE_PTR(starting);
                (void) TAKE_PTR(task);
                return 0;
        }
        return add(front, call, TAKE_PTR(task), ret_result, err);
}

static int run_start(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                     Error *err) {
        SCOPED(task_free) Task *task = NULL;
        int r = task_params_read(front, call, params, &task, err);

        return r < 0 ? r : task_method_start(front, call, TAKE_PTR(task), ret_result, err);
}

/* The task's row, for who may read what the agent did and made. */
int task_method_show(Front *front, Call *call, const char *id, cJSON **ret, Error *err) {
        SCOPED(json_free) cJSON *shown = NULL;
        uint64_t owner = 0;
        int r = task_ledger_show(front, id, call_uid(call), &shown, err);

        if (r < 0)
                return r;
        (void) json_number(shown, "owner_uid", &owner);
        r = call_owns(call, (uint32_t) owner, err);
        if (r >= 0)
                *ret = TAKE_PTR(shown);
        return r;
}

/* ---- looking ------------------------------------------------------------------------------------- */

static int run_log(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        uint64_t from = 1, limit = EVENTS_PAGE_MAX;
        const char *id = json_text(params, "task");
        SCOPED(json_free) cJSON *task = NULL;
        cJSON *json = NULL, *events;
        int r;

        r = task_method_show(front, call, id, &task, err);
        if (r < 0)
                return r;
        (void) json_number(params, "from", &from);
        (void) json_number(params, "limit", &limit);
        events = events_page(front, id, from, (unsigned) limit, err);
        if (!events)
                return -EIO;
        json = cJSON_CreateObject();
        if (!json_add_consume(json, "events", events)) {
                json_free(json);
                return error_set(err, -ENOMEM, "read the log");
        }
        *ret_result = json;
        return 0;
}

static int run_watch(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                     Error *err) {
        const char *id = json_text(params, "task");
        Client *client = call_client(call);
        Task *task = tasks_find(front->tasks, id, call_uid(call));
        SCOPED(json_free) cJSON *shown = NULL;
        cJSON *answer;
        uint64_t from = 0;
        int r;

        *ret_result = NULL; /* answered here: the events come after it */
        r = task_method_show(front, call, id, &shown, err);
        if (r < 0)
                return r;
        if (!client)
                return error_say(err, -EPIPE, "the client is gone");
        (void) json_number(params, "from", &from);
        answer = cJSON_CreateObject();
        json_add_text(answer, "state", json_text(shown, "state"));
        json_add_number(answer, "seq", events_last_state(front, id));
        if (task && !task_is_final(task)) {
                r = events_watch(task, client, err); /* may refuse, so before the answer */
                if (r < 0) {
                        json_free(answer);
                        return r;
                }
                call_answer(call, answer, NULL, 0);
                events_catch_up(task, client, from);
        } else {
                call_answer(call, answer, NULL, 0);
                events_replay(front, client, id, from);
        }
        return 0;
}

/* ---- acting -------------------------------------------------------------------------------------- */

static int run_cancel(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        const char *id = json_text(params, "task");
        Task *task = tasks_find(front->tasks, id, call_uid(call));
        SCOPED(json_free) cJSON *shown = NULL;
        bool alive = task && !task_is_final(task);
        cJSON *json;
        int r;

        if (alive)
                task_end(task, TASK_CANCELLED, "cancelled", "cancelled by a client");
        r = task_ledger_show(front, id, call_uid(call), &shown, err);
        if (r < 0)
                return r;
        json = cJSON_CreateObject();
        json_add_text(json, "state", json_text(shown, "state"));
        if (!json_add_bool(json, "ended", alive)) {
                json_free(json);
                return error_set(err, -ENOMEM, "cancel a task");
        }
        *ret_result = json;
        return 0;
}

static int run_patch(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                     Error *err) {
        const char *id = json_text(params, "task");
        SCOPED(json_free) cJSON *shown = NULL;
        uint8_t digest[DIGEST_SIZE];
        char text[DIGEST_TEXT_MAX];
        autoclose int fd = -EBADF;
        cJSON *json;
        int r;

        *ret_result = NULL; /* answered here, with a descriptor */
        r = answer_may_see(front, call, id) ? 0 : task_method_show(front, call, id, &shown, err);
        if (r == 0)
                r = task_ledger_take_patch(front, id, &fd, digest, err);
        if (r < 0)
                return r;
        json = cJSON_CreateObject();
        json_add_text(json, "patch", digest_format(digest, text));
        json_add_number(json, "bytes", (uint64_t) lseek(fd, 0, SEEK_END));
        (void) lseek(fd, 0, SEEK_SET);
        call_answer(call, json, &fd, 1);
        return 0;
}

const MethodRow task_methods[] = {
        { "task.start", run_start },    { "task.list", task_show_list },
        { "task.show", task_show_one }, { "task.watch", run_watch },
        { "task.cancel", run_cancel },  { "task.patch", run_patch },
        { "task.log", run_log },        { NULL, NULL },
};

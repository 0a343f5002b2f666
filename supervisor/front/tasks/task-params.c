/*
 * task-params: see task-params.h.
 */
#include "supervisor/front/tasks/task-params.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fds.h"
#include "base/units.h"
#include "supervisor/front/client-fds.h"
#include "supervisor/front/egress-link.h"
#include "supervisor/front/gate/spec-take.h"
#include "supervisor/front/policy/policy-take.h"
#include "supervisor/front/store/snapshots.h"
#include "supervisor/front/tasks/task-data.h"

/* ---- model --------------------------------------------------------------------------------------- */

static int read_transcript(Task *task, int fd, Error *err) {
        struct stat st;
        int copy;

        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return error_say(err, -EINVAL, "the transcript must be a regular file");
        copy = memfd_sealed_from("transcript", fd, TASK_TRANSCRIPT_MAX, false, err);
        if (copy < 0)
                return error_add(err, copy, "take in the transcript");
        task->model.fd = copy;
        return 0;
}

static int read_price(Task *task, Call *call, const cJSON *json, Error *err) {
        Price *price = &task->model.price;
        const char *currency = json_text(json, "currency");
        int r;

        if (!json)
                return 0;
        (void) json_number(json, "input", &price->input);
        (void) json_number(json, "output", &price->output);
        price->cached_input = price->cache_write = price->input;
        (void) json_number(json, "cached_input", &price->cached_input);
        (void) json_number(json, "cache_write", &price->cache_write);
        (void) snprintf(task->model.currency, sizeof(task->model.currency), "%s",
                        currency ? currency : "");
        r = money_check_price(price, err);
        if (r < 0)
                call_refuse(call, "invalid", "/model/price", NULL);
        return r;
}

/* An address and a key of the caller's own: only where the supervisor is the caller's own as well */
static int read_route(Task *task, Call *call, const cJSON *model, Error *err) {
        const char *url = json_text(model, "base_url"), *name = json_text(model, "model");

        if (!url || !name) {
                call_refuse(call, "invalid", "/model", NULL);
                return error_say(err, -EINVAL, "provider openai needs base_url and model");
        }
        if (!task->front->info.private_call || call_peer(call)->uid != 0) {
                call_refuse(call, "denied", "/model", "an administrator sets model routes up");
                return error_say(err, -EACCES,
                                 "only root, with a private supervisor, may bring a model route");
        }
        if (!task->front->has_egress) {
                call_refuse(call, "unsupported", "/model", "install warder-egress");
                return error_say(err, -ENOTSUP,
                                 "this supervisor has no warder-egress: no task "
                                 "can reach a model through it");
        }
        (void) snprintf(task->model.base_url, sizeof(task->model.base_url), "%s", url);
        (void) snprintf(task->model.name, sizeof(task->model.name), "%s", name);
        return read_price(task, call, json_get(model, "price"), err);
}

static int read_model(Task *task, Call *call, const cJSON *model, Error *err) {
        autoclose int fd = call_take_fd(call, 1);
        int r;

        if (fd < 0) {
                call_refuse(call, "invalid", "/model", "pass two descriptors");
                return error_say(err, -EINVAL,
                                 "task.start takes two descriptors: the base as a "
                                 "tar, then the transcript or the key");
        }
        if (strcmp(json_text(model, "provider"), "replay") == 0)
                return read_transcript(task, fd, err);
        task->model.provider = PROVIDER_OPENAI;
        r = read_route(task, call, model, err);
        if (r == 0)
                task->model.fd = TAKE_FD(fd);
        return r;
}

/* ---- limits -------------------------------------------------------------------------------------- */

static void read_budgets(Task *task, const cJSON *limits) {
        static const struct {
                const char *name;
                uint64_t otherwise;
        } rows[_TASK_BUDGET_MAX] = {
                /* without a name: read_money()'s */
                [BUDGET_VERIFIES] = { "verifies", TASK_VERIFIES },
                [BUDGET_COMMANDS] = { "commands", TASK_COMMANDS },
                [BUDGET_CALLS] = { "calls", TASK_CALLS },
                [BUDGET_TOKENS] = { "tokens", TASK_TOKENS },
                [BUDGET_WALL_USEC] = { "wall", TASK_WALL_USEC },
                [BUDGET_CPU_USEC] = { "cpu", TASK_CPU_USEC },
                [BUDGET_OUTPUT_BYTES] = { "output", TASK_OUTPUT_BYTES },
                [BUDGET_NO_PROGRESS] = { "no_progress", TASK_NO_PROGRESS },
        };

        for (unsigned i = 0; i < _TASK_BUDGET_MAX; i++) {
                task->budget[i] = rows[i].otherwise;
                if (rows[i].name)
                        (void) json_number(limits, rows[i].name, &task->budget[i]);
        }
}

/*
 * Where no limit is named, it is what the task's tokens cost at the dearest of the prices: so it is finite and never the
 * first to be used up. A fixed sum would be much in one currency and nothing in another.
 */
static int read_money(Task *task, Call *call, const cJSON *limits, Error *err) {
        const Price *price = &task->model.price;
        const Tokens dearest = { .out = task->budget[BUDGET_TOKENS] };
        uint64_t *budget = &task->budget[BUDGET_MONEY];

        if (money_has_price(price)) {
                *budget = money_cost(&(Price){ .output = money_dearest(price) }, &dearest);
                *budget = *budget < MONEY_MAX ? *budget : MONEY_MAX;
                (void) json_number(limits, "money", budget);
                return 0;
        }
        if (!json_get(limits, "money"))
                return 0;
        call_refuse(
                call, "invalid", "/limits/money",
                "give the model a \"price\" in models.json (warder(1), MODELS), or limit tokens");
        return error_say(err, -EINVAL, "%s, so its money cannot be limited",
                         task->model.provider == PROVIDER_REPLAY ? "a recorded model costs nothing"
                                                                 : "this model has no price");
}

/* A task's jails live as long as it does, so its time is bounded as theirs is. */
static int bound_wall(Task *task, Call *call, const cJSON *params, Error *err) {
        uint64_t most = task->limits.wall_usec;
        char text[UNITS_TEXT_MAX];

        if (most == 0 || task->budget[BUDGET_WALL_USEC] <= most)
                return 0;
        task->budget[BUDGET_WALL_USEC] = most;
        if (!json_get(json_get(params, "limits"), "wall"))
                return 0;
        call_refuse(call, "denied", "/limits/wall", "see `warder policy show`");
        return error_say(err, -EPERM, "limits.wall may be at most %s here",
                         units_format_duration(most, text));
}

static int take_policy(Task *task, Call *call, const PolicyAsk *ask, PolicyTaken *ret, Error *err) {
        int r = policy_take(task->front, call, ask, ret, err);

        return r >= 0 && strcmp(task->snapshot, "host") == 0 ? policy_take_host_root(call, ret, err)
                                                             : r;
}

/*
 * The tests run code of the agent's making, so who names a policy for the task means them too; without one they
 * have more room than the task itself.
 */
static int read_verify_policy(Task *task, Call *call, const cJSON *params, Error *err) {
        const cJSON *own = json_get(params, "verify_policy"), *policy = json_get(params, "policy");
        const PolicyAsk ask = { .policy = own ? own : policy, .otherwise = verify_policy.name };
        PolicyTaken taken;
        int r = take_policy(task, call, &ask, &taken, err);

        if (r < 0)
                return r;
        task->verify_policy = taken.use;
        task->verify_limits = taken.rules.limits;
        return spec_take_bounds(call, task->spec, &task->verify_limits, err);
}

static int read_places(Task *task, Call *call, const cJSON *params, Error *err) {
        const char *snapshot = json_text(params, "snapshot");
        const PolicyAsk ask = { .policy = json_get(params, "policy"), .otherwise = "default" };
        PolicyTaken policy;
        SnapshotInfo info;
        int r;

        (void) snprintf(task->snapshot, sizeof(task->snapshot), "%s", snapshot ? snapshot : "host");
        r = snapshots_find(task->front, task->snapshot, task->owner_uid, &info, err);
        if (r < 0) {
                call_refuse(call, "not_found", "/snapshot", NULL);
                return r;
        }
        r = take_policy(task, call, &ask, &policy, err);
        if (r < 0)
                return r;
        task->policy = policy.use;
        task->limits = policy.rules.limits;
        task->people = policy.rules.people;
        memcpy(task->model.allowed, policy.rules.egress, sizeof(task->model.allowed));
        r = bound_wall(task, call, params, err);
        return r < 0 ? r : read_verify_policy(task, call, params, err);
}

/* ---- what the agent gets ------------------------------------------------------------------------- */

static int read_workflow(Task *task, Call *call, const cJSON *params, Error *err) {
        const cJSON *workflow = json_get(params, "workflow");
        const char *name = json_text(params, "workflow");
        int r;

        if (cJSON_IsObject(workflow)) {
                task->workflow = cJSON_Duplicate(workflow, true);
                if (!task->workflow)
                        return error_set(err, -ENOMEM, "take the workflow");
                return task_data_parts(task->front, task->workflow, err);
        }
        r = task_data_workflow(task->front, name ? name : "fix", &task->workflow, err);
        if (r < 0)
                call_refuse(call, r == -ENOENT ? "not_found" : "invalid", "/workflow", NULL);
        return r < 0 ? r : task_data_parts(task->front, task->workflow, err);
}

static int read_roles(Task *task, const cJSON *params, Error *err) {
        const cJSON *role;
        int r;

        r = task_data_roles(task->front, &task->roles, err);
        if (r < 0)
                return r;
        cJSON_ArrayForEach(role, json_get(params, "roles")) {
                cJSON_DeleteItemFromObjectCaseSensitive(task->roles, role->string);
                if (!json_add_consume(task->roles, role->string, cJSON_Duplicate(role, true)))
                        return error_set(err, -ENOMEM, "take the roles");
        }
        return 0;
}

static int read_held(Task *task, Call *call, const cJSON *params, Error *err) {
        bool held = json_true(params, "held");

        if (held != (call_n_fds(call) == 3)) {
                call_refuse(call, "invalid", "/held", NULL);
                return error_say(err, -EINVAL,
                                 "held-back tests are a third descriptor, with \"held\": true");
        }
        if (!held)
                return 0;
        task->held_fd = call_take_fd(call, 2);
        return client_fd_check(&task->front->pipes, task->held_fd, CLIENT_FD_INPUT, err);
}

/* Descriptors of the request: the base, transcript or key, held-back tests */
static int take_given(Task *task, Call *call, const cJSON *params, Error *err) {
        int r = client_fd_check(&task->front->pipes, call_fd(call, 0), CLIENT_FD_INPUT, err);

        if (r < 0)
                return r;
        task->tar_fd = call_take_fd(call, 0);
        r = read_held(task, call, params, err);
        if (r == 0)
                r = read_model(task, call, json_get(params, "model"), err);
        return r < 0 ? r : read_money(task, call, json_get(params, "limits"), err);
}

static int read_origin(Task *task, const cJSON *params, Error *err) {
        const cJSON *origin = json_get(params, "origin");

        task->origin = origin ? json_print(origin) : NULL;
        return origin && !task->origin ? error_set(err, -ENOMEM, "take the origin") : 0;
}

static int fill(Task *task, Call *call, const cJSON *params, Error *err) {
        int r;

        task->owner_uid = call_peer(call)->uid;
        task->keep = json_true(params, "keep");
        task->params = cJSON_Duplicate(params, true);
        task->request = strdup(json_text(params, "request"));
        if (!task->request || !task->params)
                return error_set(err, -ENOMEM, "take the request");
        read_budgets(task, json_get(params, "limits"));
        r = read_origin(task, params, err);
        if (r == 0)
                r = spec_take(call, params, &task->spec, err);
        if (r == 0)
                r = read_places(task, call, params, err);
        if (r == 0)
                r = read_workflow(task, call, params, err);
        if (r == 0)
                r = spec_take_checks(call, task->workflow, &task->spec, err);
        return r < 0 ? r : read_roles(task, params, err);
}

static int make(Front *front, Call *call, const cJSON *params, Task **ret, Error *err) {
        SCOPED(task_free) Task *task = NULL;
        int r;

        if (front->agent_fd < 0) {
                call_refuse(call, "unsupported", NULL, "install warder-agent");
                return error_say(err, -ENOTSUP, "warder-agent is not installed here");
        }
        r = task_new(front, &task, err);
        if (r == 0)
                r = fill(task, call, params, err);
        if (r == 0)
                *ret = TAKE_PTR(task);
        return r;
}

int task_params_read(Front *front, Call *call, const cJSON *params, Task **ret, Error *err) {
        SCOPED(task_free) Task *task = NULL;
        int r = make(front, call, params, &task, err);

        if (r == 0)
                r = take_given(task, call, params, err);
        if (r == 0)
                *ret = TAKE_PTR(task);
        return r;
}

int task_params_replay(Front *front, Call *call, const TaskReplay *replay, Task **ret, Error *err) {
        SCOPED(task_free) Task *task = NULL;
        int r;

        if (json_true(replay->params, "held")) {
                call_refuse(call, "unsupported", "/task", NULL);
                return error_say(err, -ENOTSUP,
                                 "held-back tests are not kept, so a task that had some cannot be "
                                 "replayed to the same verdict");
        }
        r = make(front, call, replay->params, &task, err);
        if (r < 0 || !task)
                return r;
        task->params = json_free(task->params); /* a replay is not kept to be replayed */
        task->keep = replay->keep;
        task->is_replay = true;
        (void) snprintf(task->replay_of, sizeof(task->replay_of), "%s", replay->of);
        memcpy(task->replay_base, replay->base, DIGEST_SIZE);
        r = read_transcript(task, replay->transcript_fd, err);
        if (r == 0)
                *ret = TAKE_PTR(task);
        return r;
}

/*
 * jail-create: see jail-create.h.
 *
 *   request -> plan -> (a work directory that came as an archive becomes a layer) -> jail -> command
 *
 * The caller's work directory comes as a descriptor, with the caller's connection beside it: the monitor
 * checks that it is the caller's. Where its file system cannot be shown with other owners, the client packs
 * it and sends the archive instead; its layer is loose from the start, and goes when the jail has. With "rw"
 * the jail changes the directory itself: the policy must accept that, and the monitor asks the caller's
 * connection for the caller's consent.
 */
#include "supervisor/front/jails/jail-create.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/client-fds.h"
#include "supervisor/front/clients.h"
#include "supervisor/front/commands/exec-call.h"
#include "supervisor/front/jails/jail-image.h"
#include "supervisor/front/jails/jail-refuse.h"
#include "supervisor/front/jails/pools.h"
#include "supervisor/front/policy/controls.h"
#include "supervisor/front/policy/jail-quotas.h"
#include "supervisor/front/policy/policy-take.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/policy/turns.h"
#include "supervisor/front/store/layer-import.h"
#include "supervisor/front/store/layer-records.h"
#include "supervisor/front/store/layers.h"
#include "supervisor/front/store/snapshots.h"
#include "supervisor/front/workspaces/workspace-methods.h"

#define WORK_BYTES_MAX   (16ull << 30)
#define WORK_ENTRIES_MAX 2000000ull

typedef struct Creating {
        Front *front;
        Call *call; /* answered by us */
        JailSpec spec;
        char snapshot[SNAPSHOT_REF_MAX];
        PolicyUse use;
        bool keep;
        bool rw;
        bool work;
        bool has_exec;
        bool may_be_pooled; /* the policy is an administrator's, and no directory is shown */
        uint8_t digest[DIGEST_SIZE]; /* of that policy */
        cJSON *exec;                 /* owned: what params point into */
        cJSON *image; /* owned: likewise; how the snapshot wants to be run, or NULL */
        ExecParams params;
        int fds[2]; /* borrowed from call and client: directory, connection */
} Creating;

static Creating *creating_free(Creating *creating) {
        if (!creating)
                return NULL;
        exec_params_deinit(&creating->params);
        json_free(creating->exec);
        json_free(creating->image);
        free(creating);
        return NULL;
}
DEFINE_SCOPED(Creating *, creating_free);

/* ---- the answer ---------------------------------------------------------------------------------- */

static void fail(Creating *creating, const Error *err) {
        SCOPED(creating_free) Creating *owned = creating;

        jail_refuse(owned->front, owned->call, err);
}

static void end_jail(FrontJail *jail, void *userdata) {
        (void) userdata;
        if (front_jail_state(jail) != FRONT_JAIL_READY) /* it is ending, for a reason of its own */
                return;
        jail_book_set_end(jail, JAIL_END_COMMAND_DONE);
        front_jail_end(jail, NULL, NULL);
}

/* Who goes before it is told the id leaves nobody who knows the jail */
static void end_unknown(FrontJail *jail) {
        jail_book_set_end(jail, JAIL_END_CLIENT_GONE);
        front_jail_end(jail, NULL, NULL);
}

static void answer_ready(const Creating *creating, const FrontJail *jail) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "jail", front_jail_id(jail));
        json_add_text(json, "snapshot", creating->snapshot);
        json_add_text(json, "policy", creating->spec.policy);
        json_add_consume(json, "controls", controls_describe(jail));
        call_answer(creating->call, json, NULL, 0);
}

static void on_ready(FrontJail *jail, const Error *err, void *userdata) {
        Creating *creating = userdata;
        ExecCall exec = { .call = creating->call,
                          .spec = &creating->params.spec,
                          .answer = exec_answer_in_jail,
                          .after = creating->keep ? NULL : end_jail };
        Error own = ERROR_EMPTY;

        if (err) {
                fail(creating, err);
                return;
        }
        creating->params.spec.last = !creating->keep;
        if (!creating->has_exec) {
                if (!call_client(creating->call))
                        end_unknown(jail);
                answer_ready(creating, jail);
        } else if (exec_call_start(jail, &exec, &own) < 0) {
                front_jail_end(jail, NULL, NULL);
                fail(creating, &own);
                return;
        }
        creating_free(creating);
}

/* ---- the plan ------------------------------------------------------------------------------------ */

static int take_policy(Creating *creating, const cJSON *params, PolicyTaken *ret, Error *err) {
        const PolicyAsk ask = { .policy = json_get(params, "policy"),
                                .otherwise = "default",
                                .limits = json_get(params, "limits") };
        JailSpec *spec = &creating->spec;
        int r = policy_take(creating->front, creating->call, &ask, ret, err);

        if (r < 0)
                return r;
        creating->use = ret->use;
        spec->use = &creating->use;
        spec->policy = creating->use.shown;
        creating->may_be_pooled = !ret->use.is_own && !creating->work;
        memcpy(creating->digest, policy_digest(ret->policy), sizeof creating->digest);
        spec->filter_fd = ret->filter;
        spec->limits = ret->rules.limits;
        return 0;
}

/* What a snapshot says that was a container image, where the caller does not say otherwise. */
static void take_image(Creating *creating) {
        Plan *plan = &creating->spec.plan;

        creating->image = snapshots_image(creating->front, creating->snapshot,
                                          call_peer(creating->call)->uid);
        creating->spec.image = creating->image;
        (void) jail_image_user(creating->image, &plan->uid, &plan->gid);
}

static int take_root(Creating *creating, const cJSON *params, const PolicyTaken *policy,
                     Error *err) {
        const char *snapshot = json_text(params, "snapshot");
        const char *hostname = json_text(params, "hostname");
        Plan *plan = &creating->spec.plan;
        RootSpec root = { .snapshot = creating->snapshot, .uid = call_peer(creating->call)->uid };
        int r;

        (void) snprintf(creating->snapshot, sizeof creating->snapshot, "%s",
                        snapshot ? snapshot : "host");
        plan_init(plan, &creating->spec.limits);
        take_image(creating);
        exec_user_take(json_get(params, "user"), &plan->uid, &plan->gid);
        if (hostname)
                (void) snprintf(plan->hostname, sizeof plan->hostname, "%s", hostname);
        r = plan_root(creating->front, plan, &root, err);
        if (r >= 0 && (plan->flags & PLAN_HOST_ROOT))
                return policy_take_host_root(creating->call, policy, err);
        if (r == -ENOENT)
                call_refuse(creating->call, "not_found", "/snapshot", NULL);
        return r;
}

static int take_rw(Creating *creating, const cJSON *params, const PolicyTaken *policy, Error *err) {
        creating->rw = json_true(params, "rw");
        if (creating->rw && !json_true(params, "work")) {
                call_refuse(creating->call, "invalid", "/rw", NULL);
                return error_say(err, -EINVAL, "\"rw\" is about the directory of \"work\"");
        }
        if (!creating->rw || policy->rules.binds)
                return 0;
        call_refuse(creating->call, "denied", "/rw", "choose another policy: warder policy list");
        return error_say(err, -EPERM, "policy %s lets no jail change a directory of the host",
                         policy->use.shown);
}

static int take_exec(Creating *creating, const cJSON *params, Error *err) {
        const cJSON *exec = json_get(params, "exec");
        ExecFrom from = { .front = creating->front,
                          .call = creating->call,
                          .at = "/exec",
                          .first_fd = json_true(params, "work") ? 1 : 0,
                          .limits = &creating->spec.limits,
                          .image = creating->image,
                          .has_work = json_true(params, "work"),
                          .plan = &creating->spec.plan };

        if (!exec) {
                if (call_n_fds(creating->call) == from.first_fd)
                        return 0;
                return error_say(err, -EINVAL, "descriptors came that nothing takes");
        }
        creating->has_exec = true;
        creating->exec = cJSON_Duplicate(exec, true);
        if (!creating->exec)
                return error_set(err, -ENOMEM, "read the command");
        from.json = creating->exec;
        return exec_params_init(&creating->params, &from, err);
}

static int make_jail(Creating *creating, Error *err) {
        JailSpec *spec = &creating->spec;
        FrontJail *jail;

        spec->client = creating->keep ? NULL : call_client(creating->call);
        if (!spec->client && !creating->keep)
                return error_say(err, -ECANCELED, "the client has gone");
        return front_jail_new(creating->front, spec, on_ready, creating, &jail, err);
}

/* ---- the work directory -------------------------------------------------------------------------- */

static int add_work_dir(Creating *creating, Error *err) {
        const PlanLayer layer = { .kind = LAYER_DIR, .fd = 1, .conn = 2 };
        Client *client = call_client(creating->call);

        creating->fds[0] = call_fd(creating->call, 0);
        creating->fds[1] = client_fd(client);
        creating->spec.fds = creating->fds;
        creating->spec.n_fds = 2;
        return plan_view(&creating->spec.plan, VIEW_WORK,
                         VIEW_WRITABLE | (creating->rw ? VIEW_DIRECT : 0), &layer, 1, err);
}

static void on_work_imported(const LayerImport *import, const Error *err, bool refused,
                             void *userdata) {
        Creating *creating = userdata;
        PlanLayer layer = { .kind = LAYER_STORE };
        Error own = ERROR_EMPTY;
        int r;

        if (err) {
                call_refuse(creating->call, refused ? "invalid" : "internal", "/work", NULL);
                fail(creating, err);
                return;
        }
        memcpy(layer.digest, import->digest, sizeof layer.digest);
        r = plan_view(&creating->spec.plan, VIEW_WORK, VIEW_WRITABLE, &layer, 1, &own);
        if (r >= 0)
                r = make_jail(creating, &own);
        /* the jail that was asked for stands on it: it goes after that */
        (void) layer_discard(creating->front, import->digest, NULL);
        if (r < 0)
                fail(creating, &own);
}

static int import_work(Creating *creating, Error *err) {
        const LayerImportSpec spec = { .input_fd = call_fd(creating->call, 0),
                                       .max_bytes = WORK_BYTES_MAX,
                                       .max_entries = WORK_ENTRIES_MAX,
                                       .owner_uid = call_peer(creating->call)->uid };
        int r = client_fd_check(&creating->front->pipes, spec.input_fd, CLIENT_FD_INPUT, err);

        if (r < 0) {
                call_refuse(creating->call, "invalid", "/work", NULL);
                return r;
        }
        return layer_import(creating->front, &spec, on_work_imported, creating, err);
}

static int start(Creating *creating, Error *err) {
        int fd = call_fd(creating->call, 0);
        int r;

        if (!creating->work)
                return make_jail(creating, err);
        if (fd < 0) {
                call_refuse(creating->call, "invalid", "/work", NULL);
                return error_say(err, -EINVAL, "\"work\" needs a descriptor: the directory");
        }
        if (!client_fd_is_directory(fd) && creating->rw) {
                call_refuse(creating->call, "invalid", "/rw", NULL);
                return error_say(err, -EINVAL, "\"rw\" needs a descriptor of a directory");
        }
        if (!client_fd_is_directory(fd))
                return import_work(creating, err);
        r = add_work_dir(creating, err);
        return r < 0 ? r : make_jail(creating, err);
}

/* ---- its turn ------------------------------------------------------------------------------------ */

static void on_turn(const Error *err, void *userdata) {
        Creating *creating = userdata;
        Error own = ERROR_EMPTY;

        if (err)
                fail(creating, err);
        else if (start(creating, &own) < 0)
                fail(creating, &own);
}

/* Is a jail ready that is exactly what would be made? It is the owner's already: no room is asked for. */
static FrontJail *find_ready(Creating *creating) {
        PoolWant want = { .plan = creating->spec.plan,
                          .limits = creating->spec.limits,
                          .image = creating->image,
                          .host = pool_host_now(creating->front) };
        PoolKey key = { .uid = creating->spec.owner_uid };

        if (!creating->may_be_pooled ||
            layers_allow(creating->front, &creating->spec.plan, NULL) < 0)
                return NULL;
        memcpy(want.policy, creating->digest, sizeof want.policy);
        (void) snprintf(key.snapshot, sizeof key.snapshot, "%s", creating->snapshot);
        (void) snprintf(key.policy, sizeof key.policy, "%s", creating->use.shown);
        return pools_look_up(creating->front, &key, &want);
}

static int take_ready(Creating *creating, FrontJail *jail, Error *err) {
        Client *client = creating->keep ? NULL : call_client(creating->call);
        int r = quota_charge_create(creating->front, creating->spec.owner_uid, err);

        if (r < 0)
                return r;
        pools_take(creating->front, jail);
        r = front_jail_adopt(jail, client, err);
        if (r < 0)
                front_jail_end(jail, NULL, NULL);
        else
                on_ready(jail, NULL, creating);
        return r;
}

/* What is over a quota now does not wait for the host first. */
static int take_turn(Creating *creating, Error *err) {
        const PlanLimits *limits = &creating->spec.limits.plan;
        const TurnSpec turn = { creating->call, limits, on_turn, creating, 1 };
        uint32_t uid = creating->spec.owner_uid;
        FrontJail *jail = find_ready(creating);
        int r;

        if (jail)
                return take_ready(creating, jail, err);
        r = quota_check_jail(creating->front, uid, limits, err);
        if (r >= 0)
                r = quota_charge_create(creating->front, uid, err);
        if (r >= 0)
                r = turn_take(creating->front, &turn, err);
        return r == 0 ? start(creating, err) : r;
}

static int run_create(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        SCOPED(creating_free) Creating *creating = calloc(1, sizeof(Creating));
        PolicyTaken policy;
        int r;

        (void) ret_result;
        if (json_get(params, "persistent"))
                return workspace_create(front, call, params, err);
        if (!creating)
                return error_set(err, -ENOMEM, "make a jail");
        creating->front = front;
        creating->call = call;
        creating->keep = json_true(params, "keep");
        creating->work = json_true(params, "work");
        creating->spec.owner_uid = call_peer(call)->uid;
        creating->spec.snapshot = creating->snapshot;
        creating->spec.listed = true;
        r = take_policy(creating, params, &policy, err);
        if (r >= 0)
                r = take_root(creating, params, &policy, err);
        if (r >= 0)
                r = take_rw(creating, params, &policy, err);
        if (r >= 0)
                r = take_exec(creating, params, err);
        if (r >= 0)
                r = take_turn(creating, err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(creating);
        return 0;
}

const MethodRow jail_create_row = { "jail.create", run_create };

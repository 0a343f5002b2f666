/*
 * jail-fork: see jail-fork.h.
 *
 *   its turn -> the jail stands still -> its root's upper is saved as a layer, then that of /work -> it runs on
 *   -> n jails, each above these layers -> answered when all are ready; where one cannot be made, all go
 *
 * A fork has the files, limits, policy and user of what it was made from, and none of its processes: what a command holds
 * in memory only is not there. The layers are shared by all of them, and by nothing else: each holds them until nothing is
 * left of it (layer-holds.h), and the last takes them along.
 */
#include "supervisor/front/jails/jail-fork.h"

#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "supervisor/front/gate/gate-plan.h"
#include "supervisor/front/jails/fork-layers.h"
#include "supervisor/front/jails/jail-methods.h"
#include "supervisor/front/jails/jail-parts.h"
#include "supervisor/front/jails/jail-refuse.h"
#include "supervisor/front/jails/jail-still.h"
#include "supervisor/front/policy/jail-quotas.h"
#include "supervisor/front/policy/policy-take.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/policy/turns.h"
#include "supervisor/front/store/layer-holds.h"
#include "supervisor/front/store/snapshots.h"
#include "supervisor/front/tasks/tasks.h"

#define FORKS_MAX 64u

typedef struct Forking {
        Front *front;
        Call *call; /* answered by us */
        char from[ID_MAX];
        uint64_t handle; /* of that very jail: it waits for its turn before it is held */
        JailHold *hold;  /* owned: until its files are read */
        JailDir dir;     /* fds borrowed from call and client, good while that is there */
        JailPart parts[FORK_PARTS_MAX];
        unsigned n_parts, saved;
        HoldImport *import; /* while a part is saved */
        ForkLayers layers;  /* what it was holding, then what was saved of it */
        unsigned inherited; /* the first of them */
        JailSpec spec;      /* of each, but for its plan's layers */
        JailLimits limits;
        PolicyUse use;
        char snapshot[SNAPSHOT_REF_MAX];
        cJSON *image; /* owned; NULL: none */
        bool keep;
        unsigned n, asked, made;       /* jails: wanted, asked for, ready or failed */
        char jails[FORKS_MAX][ID_MAX]; /* those that are ready */
        unsigned n_jails;
        cJSON *cleaned; /* owned: what did not come into a layer as it was */
        uint64_t cleaned_total;
        Error err; /* why one could not be made */
} Forking;

/* ---- the end ------------------------------------------------------------------------------------- */

static Forking *forking_free(Forking *forking) {
        if (!forking)
                return NULL;
        jail_hold_free(forking->hold);
        fork_layers_drop(&forking->layers);
        json_free(forking->image);
        json_free(forking->cleaned);
        free(forking);
        return NULL;
}
DEFINE_SCOPED(Forking *, forking_free);

static void fail(Forking *forking, const Error *err) {
        SCOPED(forking_free) Forking *owned = forking;

        for (unsigned i = 0; i < owned->n_jails; i++)
                gate_jail_end(owned->front, owned->jails[i]);
        jail_refuse(owned->front, owned->call, err);
}

static void answer(Forking *forking) {
        SCOPED(forking_free) Forking *owned = forking;
        cJSON *json = cJSON_CreateObject(), *list = json_add_array(json, "jails");

        for (unsigned i = 0; i < owned->n_jails; i++)
                json_push_text(list, owned->jails[i]);
        json_add_text(json, "from", owned->from);
        json_add_text(json, "snapshot", owned->snapshot);
        json_add_text(json, "policy", owned->use.shown);
        json_add_consume(json, "cleaned", TAKE_PTR(owned->cleaned));
        json_add_number(json, "cleaned_total", owned->cleaned_total);
        call_answer(owned->call, json, NULL, 0);
}

static int refuse_ended(const Forking *forking, Error *err) {
        return error_say(err, -ESRCH, "jail %.16s has ended", forking->from);
}

/* ---- the jails ----------------------------------------------------------------------------------- */

static void on_all_made(Forking *forking) {
        Error err = forking->err;

        if (err.code == 0 && !call_client(forking->call)) /* nobody would know them */
                error_say(&err, -ECANCELED, "the client has gone");
        if (err.code < 0)
                fail(forking, &err);
        else
                answer(forking);
}

static void on_ready(FrontJail *jail, const Error *err, void *userdata) {
        Forking *forking = userdata;
        Error own = ERROR_EMPTY;

        forking->made++;
        if (err)
                own = *err;
        else if (fork_layers_keep(&forking->layers, jail, &own) < 0)
                front_jail_end(jail, NULL, NULL);
        else
                (void) snprintf(forking->jails[forking->n_jails++], ID_MAX, "%s",
                                front_jail_id(jail));
        if (forking->err.code == 0)
                forking->err = own;
        if (forking->made == forking->asked)
                on_all_made(forking);
}

static int fill_plan(Forking *forking, const FrontJail *from, Error *err) {
        const Plan *old = front_jail_plan(from);
        Plan *plan = &forking->spec.plan;
        int r = 0;

        plan_init(plan, &forking->limits);
        plan->uid = old->uid;
        plan->gid = old->gid;
        plan->flags |= old->flags & PLAN_HOST_ROOT;
        memcpy(plan->hostname, old->hostname, sizeof(plan->hostname));
        for (unsigned i = 0; r >= 0 && i < forking->n_parts; i++) {
                JailPart *part = &forking->parts[i];

                r = jail_part_cover(part, forking->layers.digests[forking->inherited + i], err);
                if (r >= 0)
                        r = plan_view(plan, part->target, VIEW_WRITABLE, part->layers, part->n,
                                      err);
        }
        return r;
}

/* The limits of the first one, below the ceilings of now, if its policy still allows such a jail */
static int fill_spec(Forking *forking, const FrontJail *from, Error *err) {
        Client *client = call_client(forking->call);
        JailSpec *spec = &forking->spec;
        PolicyHold hold;
        int r = policies_hold(forking->front->policies, &forking->use, &hold, err);

        if (r >= 0 && (front_jail_plan(from)->flags & PLAN_HOST_ROOT) &&
            !policy_rules(hold.policy)->host_root)
                r = error_say(err, -EPERM, "policy %s does not allow the host's own root any more",
                              forking->use.shown);
        if (r >= 0)
                r = policy_take_bound(forking->front, front_jail_owner(from), true,
                                      &forking->limits, err);
        if (r < 0)
                return r;
        if (!client && (!forking->keep || forking->dir.n > 0))
                return error_say(err, -ECANCELED, "the client has gone");
        *spec = (JailSpec){ .fds = forking->dir.fds,
                            .n_fds = forking->dir.n,
                            .filter_fd = hold.filter,
                            .limits = forking->limits,
                            .snapshot = forking->snapshot,
                            .image = forking->image,
                            .policy = forking->use.shown,
                            .use = &forking->use,
                            .owner_uid = front_jail_owner(from),
                            .client = forking->keep ? NULL : client,
                            .listed = true };
        return fill_plan(forking, from, err);
}

/*
 * It runs on when it is known what they are to be like. All are asked for at once, up to one that cannot be: that is as
 * one that could not be made.
 */
static void make_jails(Forking *forking) {
        FrontJail *from = jail_hold_jail(forking->hold), *jail;
        Error err = ERROR_EMPTY;
        int r = from ? fill_spec(forking, from, &err) : refuse_ended(forking, &err);

        forking->hold = jail_hold_free(forking->hold);

        for (; r >= 0 && forking->asked < forking->n; forking->asked++) {
                r = front_jail_new(forking->front, &forking->spec, on_ready, forking, &jail, &err);
                if (r < 0)
                        break;
        }
        if (r < 0 && forking->err.code == 0)
                forking->err = err;
        if (forking->asked == 0)
                on_all_made(forking);
}

/* ---- its files ----------------------------------------------------------------------------------- */

static int save_next(Forking *forking, Error *err);

static void on_saved(const LayerImport *import, const Error *err, bool refused, void *userdata) {
        Forking *forking = userdata;
        Error own = ERROR_EMPTY;

        forking->import = NULL;
        if (err) {
                if (refused)
                        call_refuse(forking->call, "limit", NULL, NULL);
                fail(forking, err);
                return;
        }
        memcpy(forking->layers.digests[forking->layers.n++], import->digest, DIGEST_SIZE);
        layer_cleaned_push(forking->cleaned, import->cleaned);
        forking->cleaned_total += import->cleaned_total;
        forking->saved++;
        if (forking->saved < forking->n_parts) {
                if (save_next(forking, &own) < 0)
                        fail(forking, &own);
                return;
        }
        make_jails(forking);
}

static int save_next(Forking *forking, Error *err) {
        const FrontJail *from = jail_hold_jail(forking->hold);
        const JailPart *part = &forking->parts[forking->saved];
        LayerImportSpec spec = { .input_fd = -EBADF,
                                 .upper_handle = from ? front_jail_handle(from) : 0,
                                 .upper_view = part->target,
                                 .max_bytes = GATE_IMPORT_BYTES,
                                 .max_entries = GATE_IMPORT_ENTRIES,
                                 .owner_uid = forking->layers.owner };
        const uint64_t most = layer_disk_bytes(GATE_IMPORT_BYTES, GATE_IMPORT_ENTRIES);
        int r;

        if (!from)
                return refuse_ended(forking, err);
        r = snapshots_left(forking->front, spec.owner_uid, &spec.max_disk, err);
        if (r < 0)
                return r;
        if (spec.max_disk > most)
                spec.max_disk = most;
        return hold_import(tasks_holds(forking->front->tasks), &spec, on_saved, forking,
                           &forking->import, err);
}

static void on_still(FrontJail *from, const Error *err, void *userdata) {
        Forking *forking = userdata;
        Error own = ERROR_EMPTY;

        (void) from;
        if (err)
                own = *err;
        else
                (void) save_next(forking, &own);
        if (own.code < 0)
                fail(forking, &own);
}

static int start(Forking *forking, Error *err) {
        FrontJail *from = front_jail_by_handle(forking->front, forking->handle);
        int r = from ? jail_hold_new(from, &forking->hold, err) : refuse_ended(forking, err);

        if (r >= 0)
                r = jail_hold_await(forking->hold, JAIL_STILL_READ_USEC, on_still, forking, err);
        return r > 0 ? save_next(forking, err) : r;
}

/* ---- the request --------------------------------------------------------------------------------- */

static void on_turn(const Error *err, void *userdata) {
        Forking *forking = userdata;
        Error own = ERROR_EMPTY;

        if (err)
                fail(forking, err);
        else if (start(forking, &own) < 0)
                fail(forking, &own);
}

/* What is over a quota now does not wait for the host first. */
static int take_turn(Forking *forking, Error *err) {
        const TurnSpec turn = { forking->call, &forking->limits.plan, on_turn, forking,
                                forking->n };
        uint32_t uid = forking->layers.owner;
        int r = quota_check_jails(forking->front, uid, &forking->limits.plan, forking->n, err);

        if (r >= 0)
                r = quota_charge_creates(forking->front, uid, forking->n, err);
        if (r >= 0)
                r = turn_take(forking->front, &turn, err);
        return r == 0 ? start(forking, err) : r;
}

static int take_parts(Forking *forking, const FrontJail *from, Error *err) {
        int r = 0;

        if (jail_changes_dir(from)) {
                call_refuse(forking->call, "unsupported", "/jail", NULL);
                return error_say(
                        err, -ENOTSUP,
                        "jail %.16s changes a directory of the host itself (--rw), of which "
                        "there is one: it cannot be forked",
                        forking->from);
        }
        for (uint32_t target = VIEW_ROOT; r >= 0 && target <= VIEW_WORK; target++) {
                JailPart *part = &forking->parts[forking->n_parts];

                if (!jail_part_get(from, target, part))
                        continue;
                forking->n_parts++;
                r = fork_layers_inherit(&forking->layers, part, err);
        }
        forking->inherited = forking->layers.n;
        return r;
}

static int take_jail(Forking *forking, const FrontJail *from, const cJSON *params, Error *err) {
        uint64_t n = 1;

        (void) json_number(params, "n", &n);
        forking->n = (unsigned) n;
        forking->keep = json_true(params, "keep");
        forking->limits = *front_jail_limits(from);
        forking->use = *front_jail_use(from);
        forking->layers = (ForkLayers){ .front = forking->front, .owner = front_jail_owner(from) };
        forking->handle = front_jail_handle(from);
        (void) snprintf(forking->from, sizeof(forking->from), "%s", front_jail_id(from));
        (void) snprintf(forking->snapshot, sizeof(forking->snapshot), "%s",
                        front_jail_snapshot(from));
        forking->cleaned = cJSON_CreateArray();
        if (!forking->cleaned)
                return error_set(err, -ENOMEM, "fork a jail");
        if (front_jail_image(from) &&
            !(forking->image = cJSON_Duplicate(front_jail_image(from), true)))
                return error_set(err, -ENOMEM, "fork a jail");
        return jail_dir_take(from, forking->call, json_true(params, "work"), &forking->dir, err);
}

static int run_fork(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        FrontJail *from = jail_find_own(front, call, params, err);
        SCOPED(forking_free) Forking *forking = NULL;
        int r;

        (void) ret_result;
        if (!from)
                return err->code;
        forking = calloc(1, sizeof(*forking));
        if (!forking)
                return error_set(err, -ENOMEM, "fork a jail");
        forking->front = front;
        forking->call = call;
        r = take_jail(forking, from, params, err);
        if (r >= 0)
                r = take_parts(forking, from, err);
        if (r >= 0)
                r = take_turn(forking, err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(forking);
        return 0;
}

const MethodRow jail_fork_row = { "jail.fork", run_fork };

/*
 * workspace-launch: see workspace-launch.h.
 *
 * What disks may still take of the host is not overcommitted: a start that would promise more than is free is
 * refused. Others write there too, so that the host can run full all the same; then the jail's file system stops
 * at its first write that fails, as it does with a disk that breaks, and its journal keeps it sound.
 */
#include "supervisor/front/workspace-launch.h"

#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/policy-take.h"
#include "supervisor/front/quotas.h"
#include "supervisor/front/turns.h"

#define ROOM_SPARE (64ull << 20) /* for what the ledger and others write meanwhile */

typedef struct Launch {
        Front *front;
        Call *call; /* borrowed: until @done */
        JailSpec spec;
        char id[ID_MAX];
        char snapshot[72];
        PolicyUse use;
        cJSON *asked; /* owned: what spec points into */
        LaunchFn done;
        void *userdata;
} Launch;

static Launch *launch_free(Launch *launch) {
        if (!launch)
                return NULL;
        json_free(launch->asked);
        free(launch);
        return NULL;
}
DEFINE_SCOPED(Launch *, launch_free);

static void on_ready(FrontJail *jail, const Error *err, void *userdata) {
        SCOPED(launch_free) Launch *launch = userdata;

        launch->done(err ? NULL : jail, err, launch->userdata);
}

static int make_jail(Launch *launch, Error *err) {
        FrontJail *jail;

        return front_jail_new(launch->front, &launch->spec, on_ready, launch, &jail, err);
}

/* ---- the host's room ----------------------------------------------------------------------------- */

uint64_t workspace_promise(const Workspace *workspace) {
        return workspace->bytes > workspace->taken ? workspace->bytes - workspace->taken : 0;
}

int workspace_check_room(Front *front, uint64_t promised, uint64_t more, Error *err) {
        char left[UNITS_TEXT_MAX], have[UNITS_TEXT_MAX], want[UNITS_TEXT_MAX];
        struct statvfs host;
        uint64_t room;

        if (fstatvfs(front->state_fd, &host) < 0)
                return error_set(err, -errno, "look at the room for workspaces");
        room = host.f_bavail * host.f_frsize;
        room = room > ROOM_SPARE ? room - ROOM_SPARE : 0;
        if (promised <= room && more <= room - promised)
                return 0;
        return error_say(
                err, -ENOSPC,
                "the host's disk has %s free, running workspaces may still take %s of it, and "
                "this one %s: stop one, or make one with a smaller disk",
                units_format_size(room, left), units_format_size(promised, have),
                units_format_size(more, want));
}

/* ---- the plan ------------------------------------------------------------------------------------ */

static int take_policy(Launch *launch, PolicyTaken *ret, Error *err) {
        const PolicyAsk ask = { .policy = json_get(launch->asked, "policy"),
                                .otherwise = "default",
                                .limits = json_get(launch->asked, "limits") };
        int r = policy_take(launch->front, launch->call, &ask, ret, err);

        if (r < 0)
                return r;
        launch->use = ret->use;
        launch->spec.use = &launch->use;
        launch->spec.policy = launch->use.shown;
        launch->spec.filter_fd = ret->filter;
        launch->spec.limits = ret->rules.limits;
        return 0;
}

static void take_user(Plan *plan, const cJSON *asked) {
        const cJSON *user = json_get(asked, "user");
        const char *hostname = json_text(asked, "hostname");
        uint64_t value;

        if (json_number(user, "uid", &value) == 0)
                plan->uid = (uint32_t) value;
        if (json_number(user, "gid", &value) == 0)
                plan->gid = (uint32_t) value;
        if (hostname)
                (void) snprintf(plan->hostname, sizeof plan->hostname, "%s", hostname);
}

/* The disk is one layer more, beside the root's */
static int take_root(Launch *launch, const Workspace *workspace, const PolicyTaken *policy,
                     Error *err) {
        const SnapshotInfo *snapshot = &workspace->snapshot;
        PlanLayer layers[PLAN_LAYERS_MAX] = { { .kind = LAYER_SKELETON } };
        Plan *plan = &launch->spec.plan;
        unsigned n = snapshot->n_layers;
        int r = 0;

        plan_init(plan, &launch->spec.limits);
        take_user(plan, launch->asked);
        for (unsigned i = 0; i < n; i++) {
                layers[i] = (PlanLayer){ .kind = LAYER_STORE };
                memcpy(layers[i].digest, snapshot->layers[i], sizeof layers[i].digest);
        }
        if (n == 0) {
                plan->flags |= PLAN_HOST_ROOT;
                r = policy_take_host_root(launch->call, policy, err);
        }
        if (r >= 0 && n >= PLAN_LAYERS_MAX)
                r = error_say(err, -E2BIG, "snapshot %s has too many layers for a workspace",
                              snapshot->name);
        if (r >= 0)
                r = plan_view(plan, VIEW_ROOT, VIEW_WRITABLE, layers, n ? n : 1, err);
        if (r >= 0)
                plan->layers[plan->n_layers++] =
                        (PlanLayer){ .kind = LAYER_DISK, .handle = workspace->disk };
        return r;
}

static int prepare(Launch *launch, const Workspace *workspace, Error *err) {
        PolicyTaken policy;
        int r;

        launch->asked = workspaces_asked(launch->front, workspace);
        if (!launch->asked)
                return error_say(err, -EIO, "what workspace %s was made with cannot be read",
                                 workspace->name);
        (void) snprintf(launch->id, sizeof launch->id, "%s", workspace->id);
        (void) snprintf(launch->snapshot, sizeof launch->snapshot, "%s", workspace->snapshot.name);
        launch->spec.id = launch->id;
        launch->spec.snapshot = launch->snapshot;
        launch->spec.image = json_get(launch->asked, "image");
        launch->spec.owner_uid = workspace->owner_uid;
        launch->spec.listed = true;
        r = take_policy(launch, &policy, err);
        return r < 0 ? r : take_root(launch, workspace, &policy, err);
}

/* ---- its turn ------------------------------------------------------------------------------------ */

static void on_turn(const Error *err, void *userdata) {
        Launch *launch = userdata;
        Error own = ERROR_EMPTY;

        if (err)
                on_ready(NULL, err, launch);
        else if (make_jail(launch, &own) < 0)
                on_ready(NULL, &own, launch);
}

static int take_turn(Launch *launch, Error *err) {
        const PlanLimits *limits = &launch->spec.limits.plan;
        const TurnSpec turn = { launch->call, limits, on_turn, launch };
        uint32_t uid = launch->spec.owner_uid;
        int r;

        r = quota_check_jail(launch->front, uid, limits, err);
        if (r >= 0)
                r = quota_charge_create(launch->front, uid, err);
        if (r >= 0)
                r = turn_take(launch->front, &turn, err);
        return r == 0 ? make_jail(launch, err) : r;
}

int workspace_launch(Front *front, const Workspace *workspace, Call *call, uint64_t promised,
                     LaunchFn done, void *userdata, Error *err) {
        SCOPED(launch_free) Launch *launch = calloc(1, sizeof *launch);
        int r;

        if (!launch)
                return error_set(err, -ENOMEM, "start a workspace");
        *launch = (Launch){ .front = front, .call = call, .done = done, .userdata = userdata };
        r = prepare(launch, workspace, err);
        if (r >= 0)
                r = workspaces_check_quota(front, workspace->owner_uid, workspace->bytes, false,
                                           err);
        if (r >= 0)
                r = workspace_check_room(front, promised, workspace_promise(workspace), err);
        if (r >= 0)
                r = take_turn(launch, err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(launch);
        return 0;
}

/*
 * workspace-launch: see workspace-launch.h.
 */
#include "supervisor/front/workspaces/workspace-launch.h"

#include <stdio.h>
#include <string.h>

#include "base/owned.h"
#include "supervisor/front/commands/exec-params.h"
#include "supervisor/front/policy/jail-quotas.h"
#include "supervisor/front/policy/policy-take.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/policy/turns.h"

struct Launch {
        Front *front;
        LaunchSpec want; /* its call is borrowed until it has its turn, and NULL from then on */
        JailSpec spec;
        char id[ID_MAX];
        char snapshot[72];
        PolicyUse use;
        const cJSON *asked; /* what spec points into */
        cJSON *owned;       /* NULL: @asked is borrowed */
};

static Launch *launch_free(Launch *launch) {
        if (!launch)
                return NULL;
        json_free(launch->owned);
        free(launch);
        return NULL;
}
DEFINE_SCOPED(Launch *, launch_free);

static void on_ready(FrontJail *jail, const Error *err, void *userdata) {
        SCOPED(launch_free) Launch *launch = userdata;

        launch->want.done(err ? NULL : jail, err, launch->want.userdata);
}

static int make_jail(Launch *launch, Error *err) {
        FrontJail *jail;

        return front_jail_new(launch->front, &launch->spec, on_ready, launch, &jail, err);
}

/* ---- the plan ------------------------------------------------------------------------------------ */

static int take_policy(Launch *launch, PolicyTaken *ret, Error *err) {
        const PolicyAsk ask = { .policy = json_get(launch->asked, "policy"),
                                .otherwise = "default",
                                .limits = json_get(launch->asked, "limits") };
        int r = policy_take(launch->front, launch->want.call, &ask, ret, err);

        if (r < 0)
                return r;
        launch->use = ret->use;
        launch->spec.use = &launch->use;
        launch->spec.policy = launch->use.shown;
        launch->spec.filter_fd = ret->filter;
        launch->spec.limits = ret->rules.limits;
        return 0;
}

static void take_names(Plan *plan, const cJSON *asked) {
        const char *hostname = json_text(asked, "hostname");

        exec_user_take(json_get(asked, "user"), &plan->uid, &plan->gid);
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
        take_names(plan, launch->asked);
        for (unsigned i = 0; i < n; i++) {
                layers[i] = (PlanLayer){ .kind = LAYER_STORE };
                memcpy(layers[i].digest, snapshot->layers[i], sizeof layers[i].digest);
        }
        if (n == 0) {
                plan->flags |= PLAN_HOST_ROOT;
                r = policy_take_host_root(launch->want.call, policy, err);
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

static int check_quotas(const Launch *launch, bool charged, Error *err) {
        uint32_t uid = launch->spec.owner_uid;
        int r = quota_check_jail(launch->front, uid, &launch->spec.limits.plan, err);

        return r < 0 || charged ? r : quota_charge_create(launch->front, uid, err);
}

int workspace_may_launch(Front *front, const Workspace *workspace, const cJSON *asked, Call *call,
                         Error *err) {
        SCOPED(launch_free) Launch *launch = calloc(1, sizeof *launch);
        int r;

        if (!launch)
                return error_set(err, -ENOMEM, "make a workspace");
        *launch = (Launch){ .front = front, .want.call = call, .asked = asked };
        r = prepare(launch, workspace, err);
        return r < 0 ? r : check_quotas(launch, false, err);
}

/* ---- its turn ------------------------------------------------------------------------------------ */

static void on_turn(const Error *err, void *userdata) {
        Launch *launch = userdata;
        Error own = ERROR_EMPTY;

        launch->want.call = NULL;
        if (err)
                on_ready(NULL, err, launch);
        else if (make_jail(launch, &own) < 0)
                on_ready(NULL, &own, launch);
}

static int take_turn(Launch *launch, Error *err) {
        const TurnSpec turn = { launch->want.call, &launch->spec.limits.plan, on_turn, launch, 1 };
        int r = check_quotas(launch, launch->want.charged, err);

        if (r >= 0)
                r = turn_take(launch->front, &turn, err);
        if (r != 0)
                return r;
        launch->want.call = NULL;
        return make_jail(launch, err);
}

bool launch_cancel(Launch *launch) {
        if (!launch->want.call || !turn_cancel(launch->front->turns, launch->want.call))
                return false;
        launch_free(launch);
        return true;
}

int workspace_launch(Front *front, const Workspace *workspace, const LaunchSpec *spec, Launch **ret,
                     Error *err) {
        SCOPED(launch_free) Launch *launch = calloc(1, sizeof *launch);
        int r;

        if (!launch)
                return error_set(err, -ENOMEM, "start a workspace");
        *launch = (Launch){ .front = front, .want = *spec };
        launch->asked = launch->owned = workspaces_asked(front, workspace);
        if (!launch->asked)
                return error_say(err, -EIO, "what workspace %s was made with cannot be read",
                                 workspace->name);
        r = prepare(launch, workspace, err);
        if (r >= 0)
                r = workspaces_check_quota(front, workspace->owner_uid, workspace->bytes, false,
                                           err);
        if (r >= 0)
                r = take_turn(launch, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(launch);
        return 0;
}

/*
 * plans: see plans.h.
 */
#include "supervisor/front/jails/plans.h"

#include <string.h>

#include "supervisor/front/store/snapshots.h"

void plan_init(Plan *plan, const JailLimits *limits) {
        *plan = (Plan){
                .version = PLAN_VERSION,
                .flags = limits->proc_pid ? PLAN_PROC_PID : 0,
                .uid = JAIL_USER_ID,
                .gid = JAIL_USER_ID,
                .n_fds = 1, /* the filter */
                .limits = limits->plan,
                .hostname = "jail",
        };
}

int plan_view(Plan *plan, uint32_t target, uint32_t flags, const PlanLayer *layers, unsigned n,
              Error *err) {
        if (plan->n_views >= PLAN_VIEWS_MAX)
                return error_say(err, -E2BIG, "a jail takes at most %d views", PLAN_VIEWS_MAX);
        if (n > PLAN_LAYERS_MAX - plan->n_layers)
                return error_say(err, -E2BIG, "a jail takes at most %d layers", PLAN_LAYERS_MAX);
        memcpy(plan->layers + plan->n_layers, layers, n * sizeof *layers);
        plan->views[plan->n_views++] = (PlanView){ target, flags, plan->n_layers, n };
        plan->n_layers += n;
        return 0;
}

static void store_layers(PlanLayer *layers, const uint8_t (*digests)[32], unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                layers[i] = (PlanLayer){ .kind = LAYER_STORE };
                memcpy(layers[i].digest, digests[i], sizeof layers[i].digest);
        }
}

bool plan_has_view(const Plan *plan, uint32_t target) {
        for (unsigned i = 0; i < plan->n_views; i++)
                if (plan->views[i].target == target)
                        return true;
        return false;
}

int plan_store_view(Plan *plan, uint32_t target, const uint8_t (*digests)[32], unsigned n,
                    Error *err) {
        PlanLayer layers[PLAN_LAYERS_MAX];

        if (n > PLAN_LAYERS_MAX)
                return error_say(err, -E2BIG, "a jail takes at most %d layers", PLAN_LAYERS_MAX);
        store_layers(layers, digests, n);
        return plan_view(plan, target, 0, layers, n, err);
}

int plan_root(Front *front, Plan *plan, const RootSpec *root, Error *err) {
        PlanLayer layers[PLAN_LAYERS_MAX];
        SnapshotInfo info;
        unsigned n = root->n_extra;
        int r;

        r = snapshots_find(front, root->snapshot, root->uid, &info, err);
        if (r < 0)
                return r;
        if (n + (info.n_layers ? info.n_layers : 1) > PLAN_LAYERS_MAX)
                return error_say(err, -E2BIG, "snapshot %s has too many layers", info.name);
        store_layers(layers, root->extra, n);
        if (info.n_layers == 0) {
                layers[n++] = (PlanLayer){ .kind = LAYER_SKELETON };
                plan->flags |= PLAN_HOST_ROOT;
        } else {
                store_layers(layers + n, info.layers, info.n_layers);
                n += info.n_layers;
        }
        return plan_view(plan, VIEW_ROOT, VIEW_WRITABLE, layers, n, err);
}

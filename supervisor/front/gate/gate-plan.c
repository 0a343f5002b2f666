/*
 * gate-plan: see gate-plan.h.
 */
#include "supervisor/front/gate/gate-plan.h"

#include <string.h>

#include "base/canonical.h"
#include "base/ids.h"
#include "base/log.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/policy/policy-take.h"
#include "supervisor/front/store/snapshots.h"

void gate_layers_add(GateLayers *layers, const uint8_t *digest) {
        if (layers->n < GATE_LAYERS_MAX)
                memcpy(layers->digests[layers->n++], digest, sizeof(layers->digests[0]));
}

/* Put a layer above all of the root view, which is the only view so far */
static int put_on_top(Plan *plan, const PlanLayer *layer, Error *err) {
        if (plan->n_layers == PLAN_LAYERS_MAX)
                return error_say(err, -E2BIG, "the snapshot has too many layers for a verify: %u",
                                 plan->n_layers);
        memmove(plan->layers + 1, plan->layers, plan->n_layers * sizeof(plan->layers[0]));
        plan->layers[0] = *layer;
        plan->n_layers++;
        plan->views[0].n++;
        return 0;
}

static int fill_root(Front *front, Plan *plan, const GateRoot *root, Error *err) {
        RootSpec spec = { .snapshot = root->snapshot,
                          .uid = root->owner_uid,
                          .extra = root->layers->digests,
                          .n_extra = root->layers->n };
        const PlanLayer upper = { .kind = LAYER_UPPER, .handle = root->upper };
        PlanLayer over = { .kind = LAYER_STORE };
        int r;

        r = plan_root(front, plan, &spec, err);
        if (r < 0)
                return r;
        if (root->keep_upper)
                plan->flags |= PLAN_KEEP_UPPER;
        if (root->upper)
                r = put_on_top(plan, &upper, err);
        if (r == 0 && root->over) {
                memcpy(over.digest, root->over, sizeof(over.digest));
                r = put_on_top(plan, &over, err);
        }
        return r;
}

/* Given ones have a wall time of their own: a task's, which its budget bounds. */
static int limits_of(Front *front, const GateRoot *root, const Policy *policy, JailLimits *ret,
                     Error *err) {
        *ret = root->limits ? *root->limits : *policy_limits(policy);
        return policy_take_bound(front, root->owner_uid, !root->limits, ret, err);
}

int gate_jail_new(Front *front, const GateRoot *root, JailReadyFn ready, void *userdata,
                  FrontJail **ret, Error *err) {
        PolicyHold policy;
        JailSpec spec = { .snapshot = root->snapshot,
                          .policy = root->policy->shown,
                          .owner_uid = root->owner_uid };
        SCOPED(json_free) cJSON *image = NULL;
        int r;

        r = policies_hold(front->policies, root->policy, &policy, err);
        if (r < 0)
                return error_add(err, r, "policy %s", root->policy->shown);
        r = limits_of(front, root, policy.policy, &spec.limits, err);
        if (r < 0)
                return r;
        spec.filter_fd = policy.filter;
        plan_init(&spec.plan, &spec.limits);
        r = fill_root(front, &spec.plan, root, err);
        if (r < 0)
                return r;
        image = snapshots_image(front, root->snapshot, root->owner_uid);
        spec.image = image;
        return front_jail_new(front, &spec, ready, userdata, ret, err);
}

/* Field by field: between them there may be anything. */
static void add_limits(Digest *digest, const JailLimits *limits) {
        const uint64_t rest[] = {
                limits->proc_pid,         limits->wall_usec,   limits->command_wall_usec,
                limits->command_cpu_usec, limits->output_keep, limits->output_max,
                limits->nofile,           limits->fsize
        };

        digest_add(digest, &limits->plan, sizeof(limits->plan));
        digest_add(digest, &limits->command, sizeof(limits->command));
        digest_add(digest, rest, sizeof(rest));
}

int gate_root_digest(Front *front, const GateRoot *root, uint8_t *ret_digest, Error *err) {
        SCOPED(json_free) cJSON *image = snapshots_image(front, root->snapshot, root->owner_uid);
        SCOPED(digest_free) Digest *digest = NULL;
        uint8_t config[DIGEST_SIZE] = { 0 };
        PolicyHold policy;
        JailLimits limits;
        int r = policies_hold(front->policies, root->policy, &policy, err);

        if (r >= 0)
                r = limits_of(front, root, policy.policy, &limits, err);
        if (r < 0)
                return r;
        if ((image && canonical_digest(image, config) < 0) || digest_new(&digest) < 0)
                return error_set(err, -ENOMEM, "look for an earlier result");
        digest_add(digest, root->layers->digests, 32u * root->layers->n);
        digest_add(digest, config, sizeof(config));
        add_limits(digest, &limits);
        digest_add(digest, &root->owner_uid, sizeof(root->owner_uid));
        digest_end(digest, ret_digest);
        return 0;
}

void gate_jail_end(Front *front, const char *id) {
        FrontJail *jail = id[0] ? front_jail_find(front, id, 0) : NULL;

        if (jail)
                front_jail_end(jail, NULL, NULL);
}

void gate_upper_drop(Front *front, uint64_t upper) {
        Error err = ERROR_EMPTY;

        if (upper &&
            monitor_layer(front->monitor, REQUEST_UPPER_DROP, upper, NULL, NULL, NULL, &err) < 0)
                log_event(LOG_WARNING, "a kept upper could not be dropped", F_ERR(&err));
}

typedef struct Dropping { /* outlives the verify: the upper is mounted until the jail is gone */
        Front *front;
        uint64_t upper;
} Dropping;

static void on_gone(void *userdata) {
        autofree Dropping *dropping = userdata;

        gate_upper_drop(dropping->front, dropping->upper);
}

void gate_jail_end_dropping(Front *front, const char *id, uint64_t upper) {
        FrontJail *jail = id[0] ? front_jail_find(front, id, 0) : NULL;
        Dropping *dropping = jail && upper ? malloc(sizeof(*dropping)) : NULL;

        if (dropping) {
                *dropping = (Dropping){ front, upper };
                front_jail_end(jail, on_gone, dropping);
                return;
        }
        if (jail)
                front_jail_end(jail, NULL, NULL);
        gate_upper_drop(front, upper);
}

int gate_files_plan(Front *front, Plan *plan, Error *err) {
        const Policy *policy = policies_find(front->policies, "files", err);

        if (!policy)
                return error_add(err, -ENOENT, "policy files");
        plan_init(plan, policy_limits(policy));
        return 0;
}

int gate_view(Plan *plan, const GateView *view, Error *err) {
        PlanLayer layers[GATE_LAYERS_MAX + 1];
        uint32_t flags = view->flags;
        unsigned n = 0;

        if (view->upper)
                layers[n++] = (PlanLayer){ .kind = LAYER_UPPER, .handle = view->upper };
        for (unsigned i = 0; view->layers && i < view->layers->n; i++) {
                layers[n] = (PlanLayer){ .kind = LAYER_STORE };
                memcpy(layers[n++].digest, view->layers->digests[i], 32);
        }
        if (n == 1 && !(flags & VIEW_WRITABLE))
                flags |= VIEW_DIRECT;
        return plan_view(plan, view->target, flags, layers, n, err);
}

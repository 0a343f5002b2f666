/*
 * plan_check(): what a hostile front could write into each field of a plan. Needs neither root nor a jail.
 */
#include <string.h>

#include "tests/jail/plan-fields.h"
#include "tests/jail/rig.h"
#include "tests/tap.h"

static Plan
        good; /* host root, a writable /work of a caller's directory, a direct /out in the making */

static void make_good(void) {
        good = rig_plan();
        good.n_layers = 3;
        good.n_views = 3;
        good.n_fds = 3;
        good.layers[1] = (PlanLayer){ .kind = LAYER_DIR, .fd = 1, .conn = 2 };
        good.layers[2] = (PlanLayer){ .kind = LAYER_NEW, .handle = 7 };
        good.views[1] = (PlanView){ VIEW_WORK, VIEW_WRITABLE, 1, 1 };
        good.views[2] = (PlanView){ VIEW_OUT, VIEW_DIRECT | VIEW_WRITABLE, 2, 1 };
}

static void refused(const Plan *plan, const char *names, const char *what) {
        Error err = ERROR_EMPTY;

        ok(plan_check(plan, &err) < 0, "refused: %s", what);
        has_text(err.text, names, "and the field is named");
}

#define REFUSED(CHANGE, NAMES)                  \
        do {                                    \
                Plan plan = good;               \
                CHANGE;                         \
                refused(&plan, NAMES, #CHANGE); \
        } while (0)

static void test_numbers(void) {
        REFUSED(plan.version = 2, "version");
        REFUSED(plan.flags = 1u << 31, "flags");
        REFUSED(plan.uid = JAIL_INIT_ID, "uid");
        REFUSED(plan.gid = UINT32_MAX, "gid");
        REFUSED(plan.n_layers = 0, "counts");
        REFUSED(plan.n_layers = PLAN_LAYERS_MAX + 1, "counts");
        REFUSED(plan.n_views = 0, "counts");
        REFUSED(plan.n_views = UINT32_MAX, "counts");
        REFUSED(plan.n_fds = 0, "counts");
        REFUSED(plan.n_fds = PLAN_FDS_MAX + 1, "counts");
        REFUSED(plan.hostname[0] = 0, "host name");
        REFUSED(memset(plan.hostname, 'a', PLAN_HOSTNAME_MAX), "host name");
        REFUSED(plan.hostname[1] = '/', "host name");
}

static void test_limits(void) {
        REFUSED(plan.limits.memory_bytes = 0, "memory");
        REFUSED(plan.limits.memory_bytes = UINT64_MAX, "memory");
        REFUSED(plan.limits.disk_bytes = 0, "disk");
        REFUSED(plan.limits.disk_bytes = plan.limits.memory_bytes, "disk");
        REFUSED(plan.limits.inodes = 0, "inodes");
        REFUSED(plan.limits.inodes = UINT64_MAX, "inodes");
        REFUSED(plan.limits.pids = 0, "pids");
        REFUSED(plan.limits.pids = UINT32_MAX, "pids");
        REFUSED(plan.limits.cpu_permille = 0, "cpu");
        REFUSED(plan.limits.cpu_permille = UINT32_MAX, "cpu");
}

static void test_layers(void) {
        REFUSED(plan.layers[1].kind = 0, "kind");
        REFUSED(plan.layers[1].kind = _LAYER_KIND_MAX, "kind");
        REFUSED(plan.layers[1].fd = 0, "descriptor");
        REFUSED(plan.layers[1].fd = 3, "descriptor");
        REFUSED(plan.layers[1].conn = 1, "descriptor");
        REFUSED(plan.layers[1].conn = UINT32_MAX, "descriptor");
        REFUSED(plan.layers[0].fd = 1, "descriptors");
        REFUSED(plan.layers[2].kind = LAYER_SKELETON, "write into a layer");
        REFUSED(plan.layers[0].kind = LAYER_STORE, "skeleton");
        REFUSED(plan.flags = 0, "skeleton");
}

static void test_views(void) {
        REFUSED(plan.views[0].target = VIEW_WORK, "view 0");
        REFUSED(plan.views[1].target = VIEW_ROOT, "view 1");
        REFUSED(plan.views[1].target = _VIEW_TARGET_MAX, "view 1");
        REFUSED(plan.views[2].target = VIEW_WORK, "/work");
        REFUSED(plan.views[1].flags = 8, "flags");
        REFUSED(plan.views[1].n = 0, "layers");
        REFUSED(plan.views[1].n = UINT32_MAX, "layers");
        REFUSED(plan.views[1].first = UINT32_MAX, "layers");
        REFUSED(plan.views[1].first = 3, "layers");
        REFUSED(plan.views[0].flags = VIEW_DIRECT, "direct");
        REFUSED(plan.views[1].flags = VIEW_DIRECT | VIEW_WRITABLE;
                plan.views[1].target = VIEW_TREE, "write into a layer");
        REFUSED(plan.views[1].flags = VIEW_DIRECT | VIEW_WRITABLE;
                plan.flags |= PLAN_FILES_CAPS, "write into a layer");
        REFUSED(plan.views[1].flags = VIEW_DIRECT | VIEW_WRITABLE; plan.views[3] = plan.views[1];
                plan.views[3].target = VIEW_OLD; plan.views[3].flags = 0;
                plan.n_views = 4, "one view may show it");
        REFUSED(plan.views[2].flags = VIEW_WRITABLE, "in the making");
        REFUSED(plan.views[1].n = 2, "in the making");
        REFUSED(plan.n_views = 2, "in no view");
}

/* What every plan that passes must be, said once more and in another way. */
static const char *broken_rule(const Plan *plan) {
        unsigned roots = 0, v, i;

        if (plan->n_layers > PLAN_LAYERS_MAX || plan->n_views > PLAN_VIEWS_MAX ||
            plan->n_fds == 0 || plan->n_fds > PLAN_FDS_MAX)
                return "a count is beyond its array";
        if (plan->uid >= JAIL_INIT_ID || plan->gid >= JAIL_INIT_ID)
                return "the user could be init";
        if (plan->limits.memory_bytes == 0 || plan->limits.pids == 0 ||
            plan->limits.cpu_permille == 0 || plan->limits.disk_bytes == 0 ||
            plan->limits.inodes == 0 || plan->limits.disk_bytes > plan->limits.memory_bytes / 2)
                return "a limit is none";
        if (!memchr(plan->hostname, 0, PLAN_HOSTNAME_MAX) || strpbrk(plan->hostname, "/. \n"))
                return "the host name";
        for (v = 0; v < plan->n_views; v++) {
                const PlanView *view = &plan->views[v];
                bool changes = view->flags == (VIEW_DIRECT | VIEW_WRITABLE);

                roots += view->target == VIEW_ROOT;
                if (!plan_view_path(view->target) || view->n == 0 ||
                    (uint64_t) view->first + view->n > plan->n_layers)
                        return "a view's layers are not there";
                for (i = view->first; changes && i < view->first + view->n; i++)
                        if (plan->layers[i].kind != LAYER_NEW &&
                            (plan->layers[i].kind != LAYER_DIR || view->target != VIEW_WORK))
                                return "a layer of the store could be changed";
        }
        for (i = 0; i < plan->n_layers; i++)
                if (plan->layers[i].fd >= plan->n_fds || plan->layers[i].conn >= plan->n_fds)
                        return "a descriptor is beyond those that came";
        return roots == 1 ? NULL : "there is not one root";
}

/* Each field of a good plan at every edge: what passes is still a plan, and no reason is without words. */
static void test_every_field(bool shared) {
        unsigned k, passed = 0, mute = 0, bad = 0;
        PlanMutation what;

        for (k = 0;; k++) {
                Error err = ERROR_EMPTY;
                Plan plan = good;
                const char *rule;

                if (shared)
                        plan.views[1].flags |= VIEW_DIRECT;
                if (!plan_mutate(&plan, k, &what))
                        break;
                if (plan_check(&plan, &err) < 0) {
                        mute += strncmp(err.text, "plan: ", 6) != 0;
                        continue;
                }
                passed++;
                rule = broken_rule(&plan);
                if (rule && bad++ == 0)
                        printf("# %s[%u] = %llu: %s\n", what.field, what.index,
                               (unsigned long long) what.value, rule);
        }
        printf("# %u plans, %u passed\n", k, passed);
        ok(k > 2000 && passed > 100 && passed < k * 2 / 3, "thousands of plans, some good");
        is_number(bad, 0, "none that passes breaks a rule");
        is_number(mute, 0, "none is refused without a word");
}

static void test_shared(void) {
        Plan plan = good;
        Error err = ERROR_EMPTY;

        ok(!plan_is_shared(&plan), "a copy-on-write directory is not shared");
        ok(plan_layer_changes(&plan, 2) && !plan_layer_changes(&plan, 1),
           "a layer in the making changes");
        plan.views[1].flags |= VIEW_DIRECT;
        is_number(plan_check(&plan, &err), 0, "a caller's directory itself may be at /work");
        ok(plan_is_shared(&plan) && plan_layer_changes(&plan, 1), "and is shared");
        plan.views[1].flags = VIEW_DIRECT;
        is_number(plan_check(&plan, &err), 0, "likewise to be read");
        ok(!plan_is_shared(&plan), "which does not share it");
}

int main(void) {
        Error err = ERROR_EMPTY;

        make_good();
        is_number(plan_check(&good, &err), 0, "a good plan passes");
        test_numbers();
        test_limits();
        test_layers();
        test_views();
        test_shared();
        test_every_field(false);
        test_every_field(true);
        is_text(plan_view_path(VIEW_TREE), "/tree", "a target's path");
        ok(!plan_view_path(_VIEW_TARGET_MAX), "none for what is none");
        return tap_end();
}

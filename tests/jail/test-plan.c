/*
 * plan_check(): what a hostile front could write into each field of a plan. Needs neither root nor a jail.
 */
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
        REFUSED(plan.views[1].flags = VIEW_DIRECT | VIEW_WRITABLE, "write into a layer");
        REFUSED(plan.views[2].flags = VIEW_WRITABLE, "in the making");
        REFUSED(plan.views[1].n = 2, "in the making");
        REFUSED(plan.n_views = 2, "in no view");
}

int main(void) {
        Error err = ERROR_EMPTY;

        make_good();
        is_number(plan_check(&good, &err), 0, "a good plan passes");
        test_numbers();
        test_limits();
        test_layers();
        test_views();
        is_text(plan_view_path(VIEW_TREE), "/tree", "a target's path");
        ok(!plan_view_path(_VIEW_TARGET_MAX), "none for what is none");
        return tap_end();
}

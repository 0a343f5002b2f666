/*
 * plan: see plan.h. Checks only what can be checked without opening anything; the monitor holds the rest
 * (may this front have that layer, does that directory belong to that connection) against its own state.
 */
#include "sandbox/plan.h"

#include <errno.h>
#include <string.h>

#include "base/owned.h"

static const char *const view_paths[_VIEW_TARGET_MAX] = {
        [VIEW_ROOT] = "/",       [VIEW_WORK] = "/work", [VIEW_OLD] = "/old",   [VIEW_NEW] = "/new",
        [VIEW_UPPER] = "/upper", [VIEW_OUT] = "/out",   [VIEW_TREE] = "/tree",
};

const char *plan_view_path(uint32_t target) {
        return target < _VIEW_TARGET_MAX ? view_paths[target] : NULL;
}

bool plan_layer_changes(const Plan *plan, uint32_t i) {
        const uint32_t both = VIEW_DIRECT | VIEW_WRITABLE;
        uint32_t v;

        for (v = 0; v < plan->n_views; v++)
                if ((plan->views[v].flags & both) == both && plan->views[v].first == i)
                        return true;
        return false;
}

bool plan_is_shared(const Plan *plan) {
        uint32_t i;

        for (i = 0; i < plan->n_layers; i++)
                if (plan->layers[i].kind == LAYER_DIR && plan_layer_changes(plan, i))
                        return true;
        return false;
}

int plan_disk(const Plan *plan) {
        uint32_t i;

        for (i = 0; i < plan->n_layers; i++)
                if (plan->layers[i].kind == LAYER_DISK)
                        return (int) i;
        return -ENOENT;
}

static int check_limits(const PlanLimits *limits, Error *err) {
        const struct {
                const char *name;
                uint64_t value, min, max;
        } rows[] = {
                { "memory", limits->memory_bytes, PLAN_MEMORY_MIN, PLAN_MEMORY_MAX },
                { "disk", limits->disk_bytes, PLAN_DISK_MIN, limits->memory_bytes / 2 },
                { "inodes", limits->inodes, PLAN_INODES_MIN, PLAN_INODES_MAX },
                { "pids", limits->pids, 1, PLAN_PIDS_MAX },
                { "cpu", limits->cpu_permille, PLAN_CPU_MIN, PLAN_CPU_MAX },
                { "memory_high", limits->memory_high_bytes, 0, limits->memory_bytes },
                { "io_read", limits->io_read_bytes, 0, PLAN_IO_MAX },
                { "io_write", limits->io_write_bytes, 0, PLAN_IO_MAX },
        };
        unsigned i;

        for (i = 0; i < ELEMENTS(rows); i++)
                if (rows[i].value < rows[i].min || rows[i].value > rows[i].max)
                        return error_say(err, -EINVAL, "plan: limit %s is not within %llu and %llu",
                                         rows[i].name, (unsigned long long) rows[i].min,
                                         (unsigned long long) rows[i].max);
        return 0;
}

static int check_hostname(const char *name, Error *err) {
        size_t n = strnlen(name, PLAN_HOSTNAME_MAX);

        if (n == 0 || n == PLAN_HOSTNAME_MAX)
                return error_say(err, -EINVAL, "plan: the host name is empty or not terminated");
        if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
                return error_say(err, -EINVAL,
                                 "plan: the host name has bytes other than [a-z0-9-]");
        return 0;
}

static int check_layer(const Plan *plan, uint32_t i, Error *err) {
        const PlanLayer *layer = &plan->layers[i];
        bool dir = layer->kind == LAYER_DIR;

        if (layer->kind == 0 || layer->kind >= _LAYER_KIND_MAX)
                return error_say(err, -EINVAL, "plan: layer %u has no known kind", i);
        if (layer->view != 0 && (layer->kind != LAYER_UPPER || layer->view != VIEW_WORK))
                return error_say(err, -EINVAL, "plan: layer %u names a view it has no use for", i);
        if (dir && (layer->fd == 0 || layer->fd >= plan->n_fds || layer->conn == 0 ||
                    layer->conn >= plan->n_fds || layer->fd == layer->conn))
                return error_say(err, -EINVAL,
                                 "plan: layer %u names a descriptor that is not there", i);
        if (!dir && (layer->fd != 0 || layer->conn != 0))
                return error_say(err, -EINVAL, "plan: layer %u names descriptors it has no use for",
                                 i);
        return 0;
}

/* What a direct view may change: a layer in the making, and a caller's directory as the jail's /work. */
static bool may_change(const Plan *plan, const PlanView *view) {
        uint32_t kind = plan->layers[view->first].kind;

        return kind == LAYER_NEW ||
               (kind == LAYER_DIR && view->target == VIEW_WORK && !(plan->flags & PLAN_FILES_CAPS));
}

/* A direct view is one layer as it is. */
static int check_view(const Plan *plan, uint32_t i, Error *err) {
        const PlanView *view = &plan->views[i];
        bool direct = view->flags & VIEW_DIRECT, writable = view->flags & VIEW_WRITABLE;

        if (view->target >= _VIEW_TARGET_MAX || (i == 0) != (view->target == VIEW_ROOT))
                return error_say(err, -EINVAL, "plan: view %u is not where it may be", i);
        if (view->flags & ~(uint32_t) (VIEW_WRITABLE | VIEW_DIRECT))
                return error_say(err, -EINVAL, "plan: view %u has unknown flags", i);
        if (view->n == 0 || view->n > plan->n_layers || view->first > plan->n_layers - view->n)
                return error_say(err, -EINVAL, "plan: view %u names layers that are not there", i);
        if (direct && (view->n != 1 || view->target == VIEW_ROOT))
                return error_say(err, -EINVAL, "plan: view %u cannot be direct", i);
        if (direct && writable && !may_change(plan, view))
                return error_say(err, -EINVAL, "plan: view %u would write into a layer", i);
        return 0;
}

/* A layer that changes while the jail lives is shown once: an overlay on top of it would see it change. */
static int check_uses(const Plan *plan, const PlanView *view, uint32_t *used, Error *err) {
        uint32_t j;

        for (j = view->first; j < view->first + view->n; j++) {
                used[j]++;
                if (plan->layers[j].kind == LAYER_DISK)
                        return error_say(err, -EINVAL, "plan: layer %u is a disk: no view shows it",
                                         j);
                if (plan->layers[j].kind == LAYER_NEW && !(view->flags & VIEW_DIRECT))
                        return error_say(err, -EINVAL,
                                         "plan: layer %u is in the making: one direct view may "
                                         "show it",
                                         j);
                if (used[j] > 1 &&
                    (plan->layers[j].kind == LAYER_NEW || plan_layer_changes(plan, j)))
                        return error_say(err, -EINVAL,
                                         "plan: layer %u changes: one view may show it", j);
        }
        return 0;
}

static int check_views(const Plan *plan, Error *err) {
        uint32_t i, seen = 0, uses = 0, used[PLAN_LAYERS_MAX] = { 0 };
        int r;

        for (i = 0; i < plan->n_views; i++) {
                const PlanView *view = &plan->views[i];

                r = check_view(plan, i, err);
                if (r < 0)
                        return r;
                if (seen & BIT(view->target))
                        return error_say(err, -EINVAL, "plan: two views at %s",
                                         plan_view_path(view->target));
                seen |= BIT(view->target);
                uses += view->n;
                r = check_uses(plan, view, used, err);
                if (r < 0)
                        return r;
        }
        for (i = 0; i < plan->n_layers; i++)
                if (used[i] == 0 && plan->layers[i].kind != LAYER_DISK)
                        return error_say(err, -EINVAL, "plan: layer %u is in no view", i);
        if (uses > PLAN_USES_MAX)
                return error_say(err, -EINVAL, "plan: its views use more than %u layers",
                                 PLAN_USES_MAX);
        return 0;
}

/* The host's directories have their mount points in the skeleton, and the skeleton has no other use. */
static int check_host_root(const Plan *plan, Error *err) {
        uint32_t i, skeletons = 0;
        bool host = plan->flags & PLAN_HOST_ROOT;
        const PlanView *root = &plan->views[0];

        for (i = 0; i < plan->n_layers; i++)
                skeletons += plan->layers[i].kind == LAYER_SKELETON;
        if (skeletons != (host ? 1 : 0) ||
            (host && plan->layers[root->first + root->n - 1].kind != LAYER_SKELETON))
                return error_say(err, -EINVAL,
                                 "plan: the skeleton is the lowest layer of a host root, and of "
                                 "nothing else");
        return 0;
}

/*
 * A disk outlives its jail by itself: a kept upper would keep it mounted when nobody uses it. And files jobs,
 * whose commands have more rights on files than others, have no use for one.
 */
static int check_disk(const Plan *plan, Error *err) {
        uint32_t i, disks = 0;

        for (i = 0; i < plan->n_layers; i++) {
                disks += plan->layers[i].kind == LAYER_DISK;
                if (plan->layers[i].kind == LAYER_DISK && plan->layers[i].handle == 0)
                        return error_say(err, -EINVAL, "plan: layer %u names no disk", i);
        }
        if (disks > 1 || (disks > 0 && (plan->flags & (PLAN_FILES_CAPS | PLAN_KEEP_UPPER))))
                return error_say(err, -EINVAL,
                                 "plan: one disk at most, and none where an upper is kept or a "
                                 "files job runs");
        return 0;
}

int plan_check_command(const CommandLimits *limits, Error *err) {
        if (limits->memory_bytes != 0 &&
            (limits->memory_bytes < COMMAND_MEMORY_MIN || limits->memory_bytes > PLAN_MEMORY_MAX))
                return error_say(err, -EINVAL, "the memory of a command is at least %llu bytes",
                                 (unsigned long long) COMMAND_MEMORY_MIN);
        if (limits->pids > PLAN_PIDS_MAX)
                return error_say(err, -EINVAL, "a command has at most %u processes", PLAN_PIDS_MAX);
        if (limits->memory_bytes == 0 && limits->pids == 0)
                return error_say(err, -EINVAL, "no limit is narrowed");
        return 0;
}

int plan_check(const Plan *plan, Error *err) {
        uint32_t i;
        int r;

        if (plan->version != PLAN_VERSION)
                return error_say(err, -EINVAL, "plan: version %u is not %u", plan->version,
                                 PLAN_VERSION);
        if ((plan->flags &
             ~(uint32_t) (PLAN_HOST_ROOT | PLAN_FILES_CAPS | PLAN_KEEP_UPPER | PLAN_PROC_PID)) ||
            plan->pad != 0)
                return error_say(err, -EINVAL, "plan: unknown flags");
        if (plan->uid >= JAIL_INIT_ID || plan->gid >= JAIL_INIT_ID)
                return error_say(err, -EINVAL, "plan: uid and gid are at most %u",
                                 JAIL_INIT_ID - 1);
        if (plan->n_layers == 0 || plan->n_layers > PLAN_LAYERS_MAX || plan->n_views == 0 ||
            plan->n_views > PLAN_VIEWS_MAX || plan->n_fds == 0 || plan->n_fds > PLAN_FDS_MAX)
                return error_say(err, -EINVAL, "plan: counts are out of bounds");
        r = check_limits(&plan->limits, err);
        if (r == 0)
                r = check_hostname(plan->hostname, err);
        for (i = 0; r == 0 && i < plan->n_layers; i++)
                r = check_layer(plan, i, err);
        if (r == 0)
                r = check_views(plan, err);
        if (r == 0)
                r = check_disk(plan, err);
        return r < 0 ? r : check_host_root(plan, err);
}

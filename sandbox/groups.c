/*
 * groups: see groups.h.
 */
#include "sandbox/groups.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/slot-groups.h"

static int make_v1(const Hierarchy *hierarchy, uint64_t number, Error *err) {
        char name[GROUP_NAME];
        unsigned tree;
        int r = 0;

        (void) snprintf(name, sizeof(name), "%" PRIu64 ".cmd", number);
        for (tree = TREE_MEMORY; r == 0 && tree < _TREE_NEEDED; tree++)
                r = group_make(hierarchy->base[tree], name, err);
        if (r < 0)
                return r;
        (void) snprintf(name, sizeof(name), "%" PRIu64 ".init", number);
        return group_make(hierarchy->base[TREE_MEMORY], name, err);
}

int groups_make(const Hierarchy *hierarchy, uint64_t number, uint32_t init_uid, Error *err) {
        autoclose int jail = -EBADF, cmd = -EBADF;
        char name[GROUP_NAME];
        unsigned slot;
        int r;

        (void) snprintf(name, sizeof(name), "%" PRIu64, number);
        r = group_make(hierarchy->base[TREE_V2], name, err);
        if (r < 0)
                return r;
        jail = group_open(hierarchy->base[TREE_V2], name, err);
        if (jail < 0)
                return jail;
        r = group_give(jail, "cgroup.procs", init_uid, err);
        if (r == 0)
                r = group_make(jail, "cmd", err);
        if (r == 0 && hierarchy_is_v2(hierarchy))
                r = group_make(jail, "init", err);
        if (r == 0 && !hierarchy_is_v2(hierarchy))
                r = make_v1(hierarchy, number, err);
        if (r < 0)
                return r;
        cmd = group_open(jail, "cmd", err);
        if (cmd < 0)
                return cmd;
        for (slot = 0; r == 0 && slot < JAIL_SLOTS_FIRST; slot++)
                r = slot_group_make(cmd, slot, init_uid, err);
        return r;
}

static int enter(int base, const char *path, Error *err) {
        autoclose int group = group_open(base, path, err);

        if (group < 0)
                return group;
        return group_write(group, "cgroup.procs", "0", err);
}

int groups_enter_jail(const Hierarchy *hierarchy, uint64_t number, Error *err) {
        char name[GROUP_NAME];

        (void) snprintf(name, sizeof(name), "%" PRIu64, number);
        return enter(hierarchy->base[TREE_V2], name, err);
}

int groups_enter_init(const Hierarchy *hierarchy, uint64_t number, Error *err) {
        autoclose int jail = -EBADF;
        char name[GROUP_NAME];
        int r;

        (void) snprintf(name, sizeof(name), "%" PRIu64 ".init", number);
        if (!hierarchy_is_v2(hierarchy))
                return enter(hierarchy->base[TREE_MEMORY], name, err);
        (void) snprintf(name, sizeof(name), "%" PRIu64, number);
        jail = group_open(hierarchy->base[TREE_V2], name, err);
        if (jail < 0)
                return jail;
        r = enter(jail, "init", err);
        /* controllers only now: a group with processes of its own may not hand them on */
        return r < 0 ? r : group_write(jail, "cgroup.subtree_control", "+memory +pids +cpu", err);
}

int groups_enter_cmd(const Hierarchy *hierarchy, uint64_t number, Error *err) {
        char name[GROUP_NAME];
        unsigned tree;
        int r = 0;

        if (hierarchy_is_v2(hierarchy))
                return 0;
        (void) snprintf(name, sizeof(name), "%" PRIu64 ".cmd", number);
        for (tree = TREE_MEMORY; r == 0 && tree < _TREE_NEEDED; tree++)
                r = enter(hierarchy->base[tree], name, err);
        return r;
}

int groups_open(Groups *groups, const Hierarchy *hierarchy, uint64_t number, Error *err) {
        char name[GROUP_NAME];
        unsigned tree;

        groups->hierarchy = hierarchy;
        groups->number = number;
        (void) snprintf(name, sizeof(name), "%" PRIu64, number);
        groups->jail = group_open(hierarchy->base[TREE_V2], name, err);
        if (groups->jail < 0)
                return groups->jail;
        groups->cmd = group_open(groups->jail, "cmd", err);
        if (groups->cmd < 0)
                return groups->cmd;
        (void) snprintf(name, sizeof(name), "%" PRIu64 ".cmd", number);
        for (tree = TREE_MEMORY; tree < _TREE_NEEDED; tree++) {
                groups->limits[tree] = hierarchy_is_v2(hierarchy)
                                               ? group_open(groups->jail, "cmd", err)
                                               : group_open(hierarchy->base[tree], name, err);
                if (groups->limits[tree] < 0)
                        return groups->limits[tree];
        }
        return 0;
}

typedef struct Counter {
        uint32_t fd; /* JailFd */
        Tree tree;   /* TREE_V2: of the jail or cmd in the v2 tree */
        int flags;
        const char *v1;
        const char *v2;
} Counter;

static const Counter counters[] = {
        { JAIL_FD_KILL, TREE_V2, O_WRONLY, "cgroup.kill", "cgroup.kill" },
        { JAIL_FD_FREEZE, TREE_V2, O_WRONLY, "cmd/cgroup.freeze", "cmd/cgroup.freeze" },
        { JAIL_FD_COMMANDS, TREE_V2, O_PATH | O_DIRECTORY, "cmd", "cmd" },
        { JAIL_FD_OOM, TREE_MEMORY, O_RDONLY, "memory.oom_control", "memory.events" },
        { JAIL_FD_MEMORY, TREE_MEMORY, O_RDONLY, "memory.usage_in_bytes", "memory.current" },
        { JAIL_FD_MEMORY_PEAK, TREE_MEMORY, O_RDONLY, "memory.max_usage_in_bytes", "memory.peak" },
        { JAIL_FD_MEMORY_STAT, TREE_MEMORY, O_RDONLY, "memory.stat", "memory.stat" },
        { JAIL_FD_PIDS_EVENTS, TREE_PIDS, O_RDONLY, "pids.events", "pids.events" },
        { JAIL_FD_PIDS, TREE_PIDS, O_RDONLY, "pids.current", "pids.current" },
        { JAIL_FD_PIDS_PEAK, TREE_PIDS, O_RDONLY, "pids.peak", "pids.peak" },
        { JAIL_FD_THROTTLED, TREE_CPU, O_RDONLY, "cpu.stat", "cpu.stat" },
        { JAIL_FD_SLOT_0_KILL, TREE_V2, O_WRONLY, "cmd/0/cgroup.kill", "cmd/0/cgroup.kill" },
        { JAIL_FD_SLOT_0_EVENTS, TREE_V2, O_RDONLY, "cmd/0/cgroup.events", "cmd/0/cgroup.events" },
        { JAIL_FD_SLOT_0_CPU, TREE_V2, O_RDONLY, "cmd/0/cpu.stat", "cmd/0/cpu.stat" },
        { JAIL_FD_SLOT_1_KILL, TREE_V2, O_WRONLY, "cmd/1/cgroup.kill", "cmd/1/cgroup.kill" },
        { JAIL_FD_SLOT_1_EVENTS, TREE_V2, O_RDONLY, "cmd/1/cgroup.events", "cmd/1/cgroup.events" },
        { JAIL_FD_SLOT_1_CPU, TREE_V2, O_RDONLY, "cmd/1/cpu.stat", "cmd/1/cpu.stat" },
};

/*
 * A figure is missed then, no control: memory.peak came with Linux 5.19, pids.peak with 6.1.
 */
static const uint32_t may_lack =
        BIT(JAIL_FD_MEMORY_PEAK) | BIT(JAIL_FD_PIDS_PEAK) | BIT(JAIL_FD_THROTTLED);

int groups_counters(const Groups *groups, int *fds, Error *err) {
        unsigned i;

        for (i = 0; i < ELEMENTS(counters); i++) {
                const Counter *counter = &counters[i];
                const char *file = hierarchy_is_v2(groups->hierarchy) ? counter->v2 : counter->v1;
                int group = counter->tree == TREE_V2 ? groups->jail : groups->limits[counter->tree];
                int fd = group_open_file(group, file, counter->flags);

                if ((fd == -ENOENT || fd == -EOPNOTSUPP) && (may_lack & BIT(counter->fd)))
                        continue;
                if (fd < 0)
                        return error_set(err, fd, "open %s of a jail's group", file);
                fds[counter->fd] = fd;
        }
        return 0;
}

void groups_close(Groups *groups) {
        fds_close(&groups->jail, 1);
        fds_close(&groups->cmd, 1);
        fds_close(groups->limits, _TREE_MAX);
}

void groups_close_unused(Groups *groups) {
        int memory = TAKE_FD(groups->limits[TREE_MEMORY]);

        groups_close(groups);
        groups->limits[TREE_MEMORY] = memory;
}

int groups_remove(const Hierarchy *hierarchy, uint64_t number) {
        char jail[GROUP_NAME], cmd[GROUP_NAME], init[GROUP_NAME];
        unsigned tree;
        int r;

        (void) snprintf(jail, sizeof(jail), "%" PRIu64, number);
        (void) snprintf(cmd, sizeof(cmd), "%" PRIu64 ".cmd", number);
        (void) snprintf(init, sizeof(init), "%" PRIu64 ".init", number);
        r = group_remove_tree(hierarchy->base[TREE_V2], jail);
        if (r == 0 && !hierarchy_is_v2(hierarchy))
                r = group_remove_tree(hierarchy->base[TREE_MEMORY], init);
        for (tree = TREE_MEMORY; r == 0 && !hierarchy_is_v2(hierarchy) && tree < _TREE_MAX; tree++)
                if (hierarchy->base[tree] >= 0)
                        r = group_remove_tree(hierarchy->base[tree], cmd);
        return r;
}

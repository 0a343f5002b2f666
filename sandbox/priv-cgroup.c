/*
 * priv-cgroup: see priv-cgroup.h.
 *
 * No group above a jail's `init` and `cmd` has a tighter limit, so that running out of memory never picks
 * init. The counts of `cmd` include the spawner and one parked child on a hybrid host: HELPERS more pids
 * are allowed than the plan says.
 */
#include "sandbox/priv-cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"

#define INIT_MEMORY "67108864" /* init's code and stack, and its output rings */
#define CPU_PERIOD  100000u    /* microseconds, the kernel's own default */
#define HELPERS     2u
#define GROUP_NAME  48

static bool is_v2(const Hierarchy *hierarchy) {
        return hierarchy->mode == CGROUP_V2;
}

static int make_group(int parent, const char *name, Error *err) {
        if (mkdirat(parent, name, 0755) < 0)
                return error_set(err, -errno, "make the group %s", name);
        return 0;
}

static int open_group(int parent, const char *name, Error *err) {
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? error_set(err, -errno, "open the group %s", name) : fd;
}

/*
 * Placing a child from inside needs to write cgroup.procs of the group that holds both sides, the jail's;
 * below a slot init makes the groups that children go to itself.
 */
static int give(int group, const char *what, uint32_t uid, Error *err) {
        if (fchownat(group, what, uid, (gid_t) -1, 0) < 0)
                return error_set(err, -errno, "give %s of a group to init", what);
        return 0;
}

static int make_slot(int cmd, unsigned slot, uint32_t init_uid, Error *err) {
        char name[GROUP_NAME];
        int r;

        (void) snprintf(name, sizeof(name), "%u", slot);
        r = make_group(cmd, name, err);
        return r < 0 ? r : give(cmd, name, init_uid, err);
}

static int make_v1(const Hierarchy *hierarchy, uint64_t number, Error *err) {
        char name[GROUP_NAME];
        unsigned tree;
        int r = 0;

        (void) snprintf(name, sizeof(name), "%" PRIu64 ".cmd", number);
        for (tree = TREE_MEMORY; r == 0 && tree < _TREE_MAX; tree++)
                r = make_group(hierarchy->base[tree], name, err);
        if (r < 0)
                return r;
        (void) snprintf(name, sizeof(name), "%" PRIu64 ".init", number);
        return make_group(hierarchy->base[TREE_MEMORY], name, err);
}

int groups_make(const Hierarchy *hierarchy, uint64_t number, uint32_t init_uid, Error *err) {
        autoclose int jail = -EBADF, cmd = -EBADF;
        char name[GROUP_NAME];
        unsigned slot;
        int r;

        (void) snprintf(name, sizeof(name), "%" PRIu64, number);
        r = make_group(hierarchy->base[TREE_V2], name, err);
        if (r < 0)
                return r;
        jail = open_group(hierarchy->base[TREE_V2], name, err);
        if (jail < 0)
                return jail;
        r = give(jail, "cgroup.procs", init_uid, err);
        if (r == 0)
                r = make_group(jail, "cmd", err);
        if (r == 0 && is_v2(hierarchy))
                r = make_group(jail, "init", err);
        if (r == 0 && !is_v2(hierarchy))
                r = make_v1(hierarchy, number, err);
        if (r < 0)
                return r;
        cmd = open_group(jail, "cmd", err);
        if (cmd < 0)
                return cmd;
        for (slot = 0; r == 0 && slot < JAIL_SLOTS_FIRST; slot++)
                r = make_slot(cmd, slot, init_uid, err);
        return r;
}

static int enter(int base, const char *path, Error *err) {
        autoclose int group = open_group(base, path, err);

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
        if (!is_v2(hierarchy))
                return enter(hierarchy->base[TREE_MEMORY], name, err);
        (void) snprintf(name, sizeof(name), "%" PRIu64, number);
        jail = open_group(hierarchy->base[TREE_V2], name, err);
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

        if (is_v2(hierarchy))
                return 0;
        (void) snprintf(name, sizeof(name), "%" PRIu64 ".cmd", number);
        for (tree = TREE_MEMORY; r == 0 && tree < _TREE_MAX; tree++)
                r = enter(hierarchy->base[tree], name, err);
        return r;
}

int groups_slot_dir(const Hierarchy *hierarchy, uint64_t number, unsigned slot, Error *err) {
        char path[GROUP_NAME];
        int fd;

        (void) snprintf(path, sizeof(path), "%" PRIu64 "/cmd/%u", number, slot);
        fd = open_tree(hierarchy->base[TREE_V2], path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        return fd < 0 ? error_set(err, -errno, "clone the mount of group %s", path) : fd;
}

int groups_open(Groups *groups, const Hierarchy *hierarchy, uint64_t number, Error *err) {
        char name[GROUP_NAME];
        unsigned tree;

        groups->hierarchy = hierarchy;
        groups->number = number;
        (void) snprintf(name, sizeof(name), "%" PRIu64, number);
        groups->jail = open_group(hierarchy->base[TREE_V2], name, err);
        if (groups->jail < 0)
                return groups->jail;
        groups->cmd = open_group(groups->jail, "cmd", err);
        if (groups->cmd < 0)
                return groups->cmd;
        (void) snprintf(name, sizeof(name), "%" PRIu64 ".cmd", number);
        for (tree = TREE_MEMORY; tree < _TREE_MAX; tree++) {
                groups->limits[tree] = is_v2(hierarchy)
                                               ? open_group(groups->jail, "cmd", err)
                                               : open_group(hierarchy->base[tree], name, err);
                if (groups->limits[tree] < 0)
                        return groups->limits[tree];
        }
        return 0;
}

static int write_number(int group, const char *file, uint64_t value, Error *err) {
        char text[24];

        (void) snprintf(text, sizeof(text), "%" PRIu64, value);
        return group_write(group, file, text, err);
}

static int limit_v1(const Groups *groups, const PlanLimits *limits, Error *err) {
        char name[GROUP_NAME];
        autoclose int init = -EBADF;
        int memory = groups->limits[TREE_MEMORY], r;

        (void) snprintf(name, sizeof(name), "%" PRIu64 ".init", groups->number);
        init = open_group(groups->hierarchy->base[TREE_MEMORY], name, err);
        if (init < 0)
                return init;
        r = group_write(init, "memory.limit_in_bytes", INIT_MEMORY, err);
        if (r == 0)
                r = write_number(memory, "memory.limit_in_bytes", limits->memory_bytes, err);
        if (r == 0)
                r = write_number(memory, "memory.memsw.limit_in_bytes", limits->memory_bytes, err);
        if (r == 0)
                r = write_number(groups->limits[TREE_PIDS], "pids.max", limits->pids + HELPERS,
                                 err);
        if (r == 0)
                r = write_number(groups->limits[TREE_CPU], "cpu.cfs_period_us", CPU_PERIOD, err);
        if (r == 0)
                r = write_number(groups->limits[TREE_CPU], "cpu.cfs_quota_us",
                                 (uint64_t) limits->cpu_permille * CPU_PERIOD / 1000, err);
        return r;
}

static int limit_v2(const Groups *groups, const PlanLimits *limits, Error *err) {
        char text[48];
        int r;

        r = group_write(groups->jail, "init/memory.max", INIT_MEMORY, err);
        if (r == 0)
                r = write_number(groups->cmd, "memory.max", limits->memory_bytes, err);
        /* absent where the kernel accounts no swap: then there is none to take */
        if (r == 0 && faccessat(groups->cmd, "memory.swap.max", F_OK, 0) == 0)
                r = group_write(groups->cmd, "memory.swap.max", "0", err);
        if (r == 0)
                r = write_number(groups->cmd, "pids.max", limits->pids + HELPERS, err);
        (void) snprintf(text, sizeof(text), "%" PRIu64 " %u",
                        (uint64_t) limits->cpu_permille * CPU_PERIOD / 1000, CPU_PERIOD);
        return r < 0 ? r : group_write(groups->cmd, "cpu.max", text, err);
}

int groups_limit(const Groups *groups, const PlanLimits *limits, Error *err) {
        return is_v2(groups->hierarchy) ? limit_v2(groups, limits, err)
                                        : limit_v1(groups, limits, err);
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
        { JAIL_FD_EVENTS, TREE_V2, O_RDONLY, "cmd/cgroup.events", "cmd/cgroup.events" },
        { JAIL_FD_OOM, TREE_MEMORY, O_RDONLY, "memory.oom_control", "memory.events" },
        { JAIL_FD_MEMORY, TREE_MEMORY, O_RDONLY, "memory.usage_in_bytes", "memory.current" },
        { JAIL_FD_MEMORY_PEAK, TREE_MEMORY, O_RDONLY, "memory.max_usage_in_bytes", "memory.peak" },
        { JAIL_FD_MEMORY_STAT, TREE_MEMORY, O_RDONLY, "memory.stat", "memory.stat" },
        { JAIL_FD_PIDS_EVENTS, TREE_PIDS, O_RDONLY, "pids.events", "pids.events" },
        { JAIL_FD_PIDS, TREE_PIDS, O_RDONLY, "pids.current", "pids.current" },
        { JAIL_FD_CPU, TREE_V2, O_RDONLY, "cmd/cpu.stat", "cmd/cpu.stat" },
        { JAIL_FD_SLOT_0_KILL, TREE_V2, O_WRONLY, "cmd/0/cgroup.kill", "cmd/0/cgroup.kill" },
        { JAIL_FD_SLOT_0_EVENTS, TREE_V2, O_RDONLY, "cmd/0/cgroup.events", "cmd/0/cgroup.events" },
        { JAIL_FD_SLOT_0_CPU, TREE_V2, O_RDONLY, "cmd/0/cpu.stat", "cmd/0/cpu.stat" },
        { JAIL_FD_SLOT_1_KILL, TREE_V2, O_WRONLY, "cmd/1/cgroup.kill", "cmd/1/cgroup.kill" },
        { JAIL_FD_SLOT_1_EVENTS, TREE_V2, O_RDONLY, "cmd/1/cgroup.events", "cmd/1/cgroup.events" },
        { JAIL_FD_SLOT_1_CPU, TREE_V2, O_RDONLY, "cmd/1/cpu.stat", "cmd/1/cpu.stat" },
};

int groups_counters(const Groups *groups, int *fds, Error *err) {
        unsigned i;

        for (i = 0; i < ELEMENTS(counters); i++) {
                const Counter *counter = &counters[i];
                const char *file = is_v2(groups->hierarchy) ? counter->v2 : counter->v1;
                int group = counter->tree == TREE_V2 ? groups->jail : groups->limits[counter->tree];
                int fd = group_open_file(group, file, counter->flags);

                /* memory.peak came with Linux 5.19: its absence costs a figure, not a control */
                if (fd == -ENOENT && counter->fd == JAIL_FD_MEMORY_PEAK)
                        continue;
                if (fd < 0)
                        return error_set(err, fd, "open %s of a jail's group", file);
                fds[counter->fd] = fd;
        }
        return 0;
}

int groups_slot_new(const Groups *groups, unsigned slot, uint32_t init_uid, int *ret_fds,
                    Error *err) {
        static const struct {
                const char *file;
                int flags;
        } files[] = { [SLOT_FD_KILL] = { "cgroup.kill", O_WRONLY },
                      [SLOT_FD_EVENTS] = { "cgroup.events", O_RDONLY },
                      [SLOT_FD_CPU] = { "cpu.stat", O_RDONLY } };
        int fds[_SLOT_FD_MAX] = { -EBADF, -EBADF, -EBADF, -EBADF };
        unsigned i;
        int r = make_slot(groups->cmd, slot, init_uid, err);

        if (r < 0)
                return r;
        fds[SLOT_FD_DIR] = groups_slot_dir(groups->hierarchy, groups->number, slot, err);
        for (i = 0; i < ELEMENTS(files) && fds[SLOT_FD_DIR] >= 0; i++) {
                fds[i] = group_open_file(fds[SLOT_FD_DIR], files[i].file, files[i].flags);
                if (fds[i] < 0)
                        r = error_set(err, fds[i], "open %s of a slot", files[i].file);
        }
        if (fds[SLOT_FD_DIR] < 0)
                r = fds[SLOT_FD_DIR];
        if (r < 0) {
                fds_close(fds, _SLOT_FD_MAX);
                return r;
        }
        memcpy(ret_fds, fds, sizeof(fds));
        return 0;
}

void groups_close(Groups *groups) {
        fds_close(&groups->jail, 1);
        fds_close(&groups->cmd, 1);
        fds_close(groups->limits, _TREE_MAX);
}

int groups_remove(const Hierarchy *hierarchy, uint64_t number) {
        char jail[GROUP_NAME], cmd[GROUP_NAME], init[GROUP_NAME];
        unsigned tree;
        int r;

        (void) snprintf(jail, sizeof(jail), "%" PRIu64, number);
        (void) snprintf(cmd, sizeof(cmd), "%" PRIu64 ".cmd", number);
        (void) snprintf(init, sizeof(init), "%" PRIu64 ".init", number);
        r = group_remove_tree(hierarchy->base[TREE_V2], jail);
        if (r == 0 && !is_v2(hierarchy))
                r = group_remove_tree(hierarchy->base[TREE_MEMORY], init);
        for (tree = TREE_MEMORY; r == 0 && !is_v2(hierarchy) && tree < _TREE_MAX; tree++)
                r = group_remove_tree(hierarchy->base[tree], cmd);
        return r;
}

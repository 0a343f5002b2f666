/*
 * slot-groups: see slot-groups.h.
 */
#include "sandbox/slot-groups.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/priv-mount.h"

#define WITHOUT_LIMIT_V1 "-1"

int slot_group_make(int cmd, unsigned slot, uint32_t init_uid, Error *err) {
        char name[GROUP_NAME];
        int r;

        (void) snprintf(name, sizeof(name), "%u", slot);
        r = group_make(cmd, name, err);
        /* init makes the groups below it that children go to */
        return r < 0 ? r : group_give(cmd, name, init_uid, err);
}

int groups_slot_dir(const Hierarchy *hierarchy, uint64_t number, unsigned slot, Error *err) {
        char path[GROUP_NAME];

        (void) snprintf(path, sizeof(path), "%" PRIu64 "/cmd/%u", number, slot);
        return mount_clone(hierarchy->base[TREE_V2], path, 0, -EBADF, err);
}

typedef struct SlotFile {
        unsigned fd; /* enum SlotFd */
        int flags;
        bool optional;
        const char *v1;
        const char *v2;
} SlotFile;

static int open_files(int group, bool v2, const SlotFile *files, int *fds, Error *err) {
        for (; files->v2; files++) {
                const char *name = v2 ? files->v2 : files->v1;

                fds[files->fd] = group_open_file(group, name, files->flags);
                if (fds[files->fd] < 0 && !(files->optional && fds[files->fd] == -ENOENT))
                        return error_set(err, fds[files->fd], "open %s of a slot", name);
        }
        return 0;
}

static const SlotFile common_files[] = {
        { SLOT_FD_KILL, O_WRONLY, false, "cgroup.kill", "cgroup.kill" },
        { SLOT_FD_EVENTS, O_RDONLY, false, "cgroup.events", "cgroup.events" },
        { SLOT_FD_CPU, O_RDONLY, false, "cpu.stat", "cpu.stat" },
        { 0 },
};
static const SlotFile memory_files[] = {
        { SLOT_FD_OOM, O_RDONLY, false, "memory.oom_control", "memory.events" },
        { SLOT_FD_MEMORY_PEAK, O_RDONLY, true, "memory.max_usage_in_bytes", "memory.peak" },
        { SLOT_FD_MEMORY_STAT, O_RDONLY, false, "memory.stat", "memory.stat" },
        { 0 },
};
static const SlotFile pids_files[] = {
        { SLOT_FD_PIDS_EVENTS, O_RDONLY, false, "pids.events", "pids.events" },
        { SLOT_FD_PIDS_PEAK, O_RDONLY, true, "pids.peak", "pids.peak" },
        { 0 },
};

static int open_common(const Groups *groups, unsigned slot, int *fds, Error *err) {
        fds[SLOT_FD_DIR] = groups_slot_dir(groups->hierarchy, groups->number, slot, err);
        if (fds[SLOT_FD_DIR] < 0)
                return fds[SLOT_FD_DIR];
        return open_files(fds[SLOT_FD_DIR], true, common_files, fds, err);
}

/* ---- narrow slots ---------------------------------------------------------------------------------- */

static bool has_left_files(int parent, const char *name) {
        char path[GROUP_NAME + 16];
        autoclose int stat = -EBADF;
        uint64_t shmem = UINT64_MAX;

        (void) snprintf(path, sizeof(path), "%s/memory.stat", name);
        stat = group_open_file(parent, path, O_RDONLY);
        return stat < 0 || fd_read_keyed(stat, "shmem", &shmem) < 0 || shmem > SLOT_LEFT_MAX;
}

/* A group that a command without a past can enter. */
static int renew(int parent, const SlotOrder *order, Error *err) {
        char name[GROUP_NAME];
        int r;

        (void) snprintf(name, sizeof(name), "%u", order->slot);
        if (order->fresh || !has_left_files(parent, name))
                return 0;
        r = group_remove_tree(parent, name);
        return r < 0 ? error_set(err, r, "give up the group of slot %u", order->slot) : 1;
}

static int limit_memory_v1(int group, uint64_t bytes, Error *err) {
        int r = group_write(group, "memory.memsw.limit_in_bytes", WITHOUT_LIMIT_V1, err);

        if (r == 0 && bytes == 0)
                r = group_write(group, "memory.limit_in_bytes", WITHOUT_LIMIT_V1, err);
        if (r == 0 && bytes)
                r = group_write_number(group, "memory.limit_in_bytes", bytes, err);
        if (r == 0 && bytes)
                r = group_write_number(group, "memory.memsw.limit_in_bytes", bytes, err);
        /* the peak is the next command's */
        return r < 0 ? r : group_write(group, "memory.max_usage_in_bytes", "0", err);
}

static int limit_pids(int group, uint32_t pids, Error *err) {
        return pids ? group_write_number(group, "pids.max", pids, err)
                    : group_write(group, "pids.max", "max", err);
}

/*
 * The kernel tells the eventfd when memory runs out in the group or above it, before it kills one process.
 * There is none where v1's notifications are not built in (PREEMPT_RT).
 */
static int watch_oom_v1(int group, int oom_control, int *ret_event, Error *err) {
        autoclose int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        char text[32];
        int r;

        if (event < 0)
                return error_set(err, -errno, "make an eventfd");
        (void) snprintf(text, sizeof(text), "%d %d", event, oom_control);
        r = group_write(group, "cgroup.event_control", text, err);
        if (r == -ENOENT || r == -EOPNOTSUPP) {
                *err = ERROR_EMPTY;
                return 0;
        }
        if (r == 0)
                *ret_event = TAKE_FD(event);
        return r;
}

/* One v1 tree: the group, its limit, its files, and the directory for init. */
static int narrow_v1(const Groups *groups, Tree tree, const SlotOrder *order, int *fds,
                     Error *err) {
        bool memory = tree == TREE_MEMORY;
        autoclose int group = -EBADF;
        char path[GROUP_NAME];
        int parent = groups->limits[tree], r = memory ? renew(parent, order, err) : 0;

        (void) snprintf(path, sizeof(path), "%u", order->slot);
        if (r > 0 || (r == 0 && order->fresh))
                r = group_make(parent, path, err);
        if (r < 0)
                return r;
        group = group_open(parent, path, err);
        if (group < 0)
                return group;
        r = group_give(group, "cgroup.procs", order->init_uid, err);
        if (r == 0)
                r = memory ? limit_memory_v1(group, order->limits.memory_bytes, err)
                           : limit_pids(group, order->limits.pids, err);
        if (r == 0)
                r = open_files(group, false, memory ? memory_files : pids_files, fds, err);
        if (r == 0 && memory)
                r = watch_oom_v1(group, fds[SLOT_FD_OOM], &fds[SLOT_FD_OOM_EVENT], err);
        if (r < 0)
                return r;
        (void) snprintf(path, sizeof(path), "%" PRIu64 ".cmd/%u", groups->number, order->slot);
        r = mount_clone(groups->hierarchy->base[tree], path, 0, -EBADF, err);
        fds[memory ? SLOT_FD_MEMORY_DIR : SLOT_FD_PIDS_DIR] = r;
        return r < 0 ? r : 0;
}

static int limit_memory_v2(int group, uint64_t bytes, Error *err) {
        int r;

        /* absent where the kernel accounts no swap: then there is none to take */
        r = faccessat(group, "memory.swap.max", F_OK, 0) == 0
                    ? group_write(group, "memory.swap.max", "0", err)
                    : 0;
        /* who runs out of his own memory ends whole: half a command is no use, and the jail stays */
        if (r == 0)
                r = group_write(group, "memory.oom.group", "1", err);
        if (r < 0)
                return r;
        return bytes ? group_write_number(group, "memory.max", bytes, err)
                     : group_write(group, "memory.max", "max", err);
}

static int limit_v2(int group, const CommandLimits *limits, int *fds, Error *err) {
        int r = limit_memory_v2(group, limits->memory_bytes, err);

        if (r == 0)
                r = limit_pids(group, limits->pids, err);
        if (r == 0)
                r = open_files(group, true, memory_files, fds, err);
        return r < 0 ? r : open_files(group, true, pids_files, fds, err);
}

static int narrow_v2(const Groups *groups, const SlotOrder *order, int *fds, Error *err) {
        autoclose int group = -EBADF;
        char name[GROUP_NAME];
        int r = group_write(groups->cmd, "cgroup.subtree_control", "+memory +pids", err);

        if (r == 0)
                r = renew(groups->cmd, order, err);
        if (r > 0 || (r == 0 && order->fresh))
                r = slot_group_make(groups->cmd, order->slot, order->init_uid, err);
        if (r < 0)
                return r;
        (void) snprintf(name, sizeof(name), "%u", order->slot);
        group = group_open(groups->cmd, name, err);
        return group < 0 ? group : limit_v2(group, &order->limits, fds, err);
}

static int narrow_trees_v1(const Groups *groups, const SlotOrder *order, int *fds, Error *err) {
        int r = order->fresh ? slot_group_make(groups->cmd, order->slot, order->init_uid, err) : 0;

        if (r == 0)
                r = narrow_v1(groups, TREE_MEMORY, order, fds, err);
        return r < 0 ? r : narrow_v1(groups, TREE_PIDS, order, fds, err);
}

/* The limits of what runs are not changed: what a command was promised holds to its end. */
static int check_empty(const Groups *groups, const SlotOrder *order, Error *err) {
        autoclose int events = -EBADF;
        char path[GROUP_NAME];
        uint64_t populated = 1;

        (void) snprintf(path, sizeof(path), "%u/cgroup.events", order->slot);
        events = group_open_file(groups->cmd, path, O_RDONLY);
        if (events < 0 || fd_read_keyed(events, "populated", &populated) < 0 || populated)
                return error_say(err, -EBUSY, "something runs in slot %u", order->slot);
        return 0;
}

int groups_slot(const Groups *groups, const SlotOrder *order, int *ret_fds, Error *err) {
        int fds[_SLOT_FD_NARROW_MAX];
        unsigned i;
        int r;

        for (i = 0; i < _SLOT_FD_NARROW_MAX; i++)
                fds[i] = -EBADF;
        r = order->fresh ? 0 : check_empty(groups, order, err);
        if (r < 0)
                return r;
        if (!order->narrow)
                r = slot_group_make(groups->cmd, order->slot, order->init_uid, err);
        else
                r = hierarchy_is_v2(groups->hierarchy) ? narrow_v2(groups, order, fds, err)
                                                       : narrow_trees_v1(groups, order, fds, err);
        if (r == 0)
                r = open_common(groups, order->slot, fds, err);
        if (r < 0)
                fds_close(fds, _SLOT_FD_NARROW_MAX);
        else
                memcpy(ret_fds, fds, sizeof(fds));
        return r;
}

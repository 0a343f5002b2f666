/*
 * limits: see limits.h.
 *
 * No group above a jail's `init` and `cmd` has a tighter limit, so that running out of memory never picks
 * init. The counts of `cmd` include the spawner and one parked child on a hybrid host: HELPERS more pids
 * are allowed than the plan says.
 *
 * What io limits bound: reads of layers, of the host root's files and of a caller's directory that are not
 * in the page cache, and writes to a directory that a caller lets the jail change, on the disks that hold
 * them. A jail's own files are in memory: no device sees them.
 */
#include "sandbox/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/block-device.h"

#define INIT_MEMORY "67108864" /* init's code and stack, and its output rings */
#define CPU_PERIOD  100000u    /* microseconds, the kernel's own default */
#define HELPERS     2u
#define CPUS_TEXT   4096
#define FOLLOW_MAX  65536 /* bytes of a list of processes */

static int limit_v1(const Groups *groups, const PlanLimits *limits, Error *err) {
        char name[GROUP_NAME];
        autoclose int init = -EBADF;
        int memory = groups->limits[TREE_MEMORY], r;

        if (limits->memory_high_bytes)
                return error_say(
                        err, -ENOTSUP,
                        "limits.memory_high needs cgroup v2: this host's memory controller "
                        "is mounted as v1");
        (void) snprintf(name, sizeof(name), "%" PRIu64 ".init", groups->number);
        init = group_open(groups->hierarchy->base[TREE_MEMORY], name, err);
        if (init < 0)
                return init;
        r = group_write(init, "memory.limit_in_bytes", INIT_MEMORY, err);
        if (r == 0)
                r = group_write_number(memory, "memory.limit_in_bytes", limits->memory_bytes, err);
        if (r == 0)
                r = group_write_number(memory, "memory.memsw.limit_in_bytes", limits->memory_bytes,
                                       err);
        /* buffers of TCP and of UDP (despite the name) are counted apart there; absent without that count */
        if (r == 0 && faccessat(memory, "memory.kmem.tcp.limit_in_bytes", F_OK, 0) == 0)
                r = group_write_number(memory, "memory.kmem.tcp.limit_in_bytes",
                                       limits->memory_bytes / 4, err);
        if (r == 0)
                r = group_write_number(groups->limits[TREE_PIDS], "pids.max",
                                       limits->pids + HELPERS, err);
        if (r == 0)
                r = group_write_number(groups->limits[TREE_CPU], "cpu.cfs_period_us", CPU_PERIOD,
                                       err);
        if (r == 0)
                r = group_write_number(groups->limits[TREE_CPU], "cpu.cfs_quota_us",
                                       (uint64_t) limits->cpu_permille * CPU_PERIOD / 1000, err);
        return r;
}

static int limit_v2(const Groups *groups, const PlanLimits *limits, Error *err) {
        char text[48];
        int r;

        r = group_write(groups->jail, "init/memory.max", INIT_MEMORY, err);
        if (r == 0)
                r = group_write_number(groups->cmd, "memory.max", limits->memory_bytes, err);
        if (r == 0 && limits->memory_high_bytes)
                r = group_write_number(groups->cmd, "memory.high", limits->memory_high_bytes, err);
        /* absent where the kernel accounts no swap: then there is none to take */
        if (r == 0 && faccessat(groups->cmd, "memory.swap.max", F_OK, 0) == 0)
                r = group_write(groups->cmd, "memory.swap.max", "0", err);
        if (r == 0)
                r = group_write_number(groups->cmd, "pids.max", limits->pids + HELPERS, err);
        (void) snprintf(text, sizeof(text), "%" PRIu64 " %u",
                        (uint64_t) limits->cpu_permille * CPU_PERIOD / 1000, CPU_PERIOD);
        return r < 0 ? r : group_write(groups->cmd, "cpu.max", text, err);
}

/* ---- io and cpuset -------------------------------------------------------------------------------- */

static bool wants_io(const PlanLimits *limits) {
        return limits->io_read_bytes || limits->io_write_bytes;
}

static bool wants_cpus(const PlanLimits *limits) {
        unsigned i;

        for (i = 0; i < PLAN_CPU_WORDS; i++)
                if (limits->cpus[i])
                        return true;
        return false;
}

/* The processors as the kernel writes them, "0-3,8": what is read back must be this very text. */
static void cpus_text(const PlanLimits *limits, char *text, size_t n) {
        size_t at = 0;
        unsigned i, end;

        text[0] = 0;
        for (i = 0; i < PLAN_CPUS_MAX && at < n; i = end + 1) {
                for (end = i; end < PLAN_CPUS_MAX && limits->cpus[end / 64] >> (end % 64) & 1;)
                        end++;
                if (end == i)
                        continue;
                at += (size_t) snprintf(text + at, n - at, at ? ",%u" : "%u", i);
                if (end - i > 1 && at < n)
                        at += (size_t) snprintf(text + at, n - at, "-%u", end - 1);
        }
}

static int limit_cpus(const Groups *groups, int group, const PlanLimits *limits, Error *err) {
        bool v2 = hierarchy_is_v2(groups->hierarchy);
        char want[CPUS_TEXT], got[CPUS_TEXT], mems[CPUS_TEXT];
        int r = 0;

        cpus_text(limits, want, sizeof(want));
        if (!v2) {
                r = group_read(groups->hierarchy->base[TREE_CPUSET], "cpuset.mems", mems,
                               sizeof(mems));
                if (r == 0)
                        r = group_write(group, "cpuset.mems", mems, NULL);
                if (r < 0)
                        return error_set(err, r, "give memory nodes to a jail's cpuset");
        }
        r = group_write(group, "cpuset.cpus", want, NULL);
        if (r == 0)
                r = group_read(group, v2 ? "cpuset.cpus.effective" : "cpuset.effective_cpus", got,
                               sizeof(got));
        /* v2 takes processors that are not there and leaves them out; v1 refuses them */
        if (r != 0 || strcmp(want, got) != 0)
                return error_say(err, -EINVAL,
                                 "limits.cpuset: this host has not all of the processors %.200s",
                                 want);
        return 0;
}

static int limit_device(const Groups *groups, int group, const PlanLimits *limits,
                        const char *device, Error *err) {
        char text[96];
        int n, r = 0;

        if (hierarchy_is_v2(groups->hierarchy)) {
                n = snprintf(text, sizeof(text), "%s", device);
                if (limits->io_read_bytes)
                        n += snprintf(text + n, sizeof(text) - (size_t) n, " rbps=%" PRIu64,
                                      limits->io_read_bytes);
                if (limits->io_write_bytes)
                        (void) snprintf(text + n, sizeof(text) - (size_t) n, " wbps=%" PRIu64,
                                        limits->io_write_bytes);
                return group_write(group, "io.max", text, err);
        }
        (void) snprintf(text, sizeof(text), "%s %" PRIu64, device, limits->io_read_bytes);
        if (limits->io_read_bytes)
                r = group_write(group, "blkio.throttle.read_bps_device", text, err);
        (void) snprintf(text, sizeof(text), "%s %" PRIu64, device, limits->io_write_bytes);
        if (r == 0 && limits->io_write_bytes)
                r = group_write(group, "blkio.throttle.write_bps_device", text, err);
        return r;
}

/*
 * The store's disk has to be one; of the other places (the host's /usr, a caller's directory) what has no
 * disk of its own, memory or a network, has no rate either: said in the manual.
 */
static int limit_io(const Groups *groups, int group, const PlanLimits *limits,
                    const LimitPlaces *places, Error *err) {
        char names[1 + LIMIT_PLACES_MAX][BLOCK_DEVICE_MAX];
        autoclose int usr = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);
        unsigned n = 0, i, j;
        int r = 0;

        for (i = 0; r == 0 && i <= places->n; i++) {
                int fd = i < places->n ? places->fds[i] : usr;

                r = block_device_of(fd, names[n], i == 0 ? err : NULL);
                if (r < 0 && i > 0) {
                        r = 0;
                        continue;
                }
                for (j = 0; j < n && strcmp(names[j], names[n]) != 0; j++)
                        ;
                if (r == 0 && j == n)
                        r = limit_device(groups, group, limits, names[n++], err);
        }
        return r < 0 ? error_add(err, r, "limits.io_read, limits.io_write") : 0;
}

/* From the group that holds our base down to this jail: where it is on already, nothing happens. */
static int hand_on(const Groups *groups, const char *controller, Error *err) {
        const int above[] = { groups->hierarchy->parent[TREE_V2], groups->hierarchy->base[TREE_V2],
                              groups->jail };
        unsigned i;
        int r = 0;

        for (i = 0; r == 0 && i < ELEMENTS(above); i++)
                r = group_write(above[i], "cgroup.subtree_control", controller, err);
        return r;
}

/* Where a plan asks for them: v2 hands the controller on to cmd; v1 has a group of its own. */
static int open_optional(const Groups *groups, Tree tree, Error *err) {
        static const char *const words[_TREE_MAX] = { [TREE_IO] = "io", [TREE_CPUSET] = "cpuset" };
        char name[GROUP_NAME];
        int r;

        if (!(groups->hierarchy->has & BIT(tree)))
                return error_say(err, -ENOTSUP,
                                 "limits.%s: this host has no cgroup controller \"%s\" to give "
                                 "to jails: leave the limit out, or enable the controller",
                                 words[tree], words[tree]);
        if (hierarchy_is_v2(groups->hierarchy)) {
                (void) snprintf(name, sizeof(name), "+%s", words[tree]);
                r = hand_on(groups, name, err);
                return r < 0 ? r : group_open(groups->jail, "cmd", err);
        }
        (void) snprintf(name, sizeof(name), "%" PRIu64 ".cmd", groups->number);
        r = group_make(groups->hierarchy->base[tree], name, err);
        return r < 0 ? r : group_open(groups->hierarchy->base[tree], name, err);
}

int groups_limit(const Groups *groups, const PlanLimits *limits, Error *err) {
        return hierarchy_is_v2(groups->hierarchy) ? limit_v2(groups, limits, err)
                                                  : limit_v1(groups, limits, err);
}

uint64_t groups_oom_kills(const Groups *groups) {
        int memory = groups->limits[TREE_MEMORY];
        autoclose int fd = -EBADF;
        uint64_t kills = 0;

        if (memory < 0) /* a shell that ended before its groups were opened */
                return 0;
        fd = group_open_file(
                memory, hierarchy_is_v2(groups->hierarchy) ? "memory.events" : "memory.oom_control",
                O_RDONLY);
        if (fd >= 0)
                (void) fd_read_keyed(fd, "oom_kill", &kills);
        return kills;
}

/* The list of what runs there already, and where it has to go. */
static int open_followers(const Groups *groups, const int *where, int *ret_fds, Error *err) {
        int fds[GROUPS_FOLLOW_MAX], n = 1;
        unsigned i;

        fds[0] = group_open_file(groups->limits[TREE_MEMORY], "cgroup.procs", O_RDONLY);
        for (i = 0; i < 2 && fds[n - 1] >= 0; i++)
                if (where[i] >= 0)
                        fds[n++] = group_open_file(where[i], "cgroup.procs", O_WRONLY);
        if (fds[n - 1] < 0) {
                int r = fds[n - 1];

                fds_close(fds, (unsigned) n - 1);
                return error_set(err, r, "open a list of a jail's processes");
        }
        memcpy(ret_fds, fds, (unsigned) n * sizeof(*fds));
        return n;
}

int groups_limit_optional(const Groups *groups, const PlanLimits *limits, const LimitPlaces *places,
                          int *ret_fds, Error *err) {
        autoclose int io = -EBADF, cpuset = -EBADF;
        int r = 0;

        if (!wants_io(limits) && !wants_cpus(limits))
                return 0;
        if (limits->io_write_bytes && places->shared && !hierarchy_is_v2(groups->hierarchy))
                return error_say(err, -ENOTSUP,
                                 "limits.io_write and a shared directory need cgroup v2: with v1 "
                                 "the kernel writes a file's pages back for nobody in particular");
        if (wants_io(limits)) {
                io = open_optional(groups, TREE_IO, err);
                r = io < 0 ? io : limit_io(groups, io, limits, places, err);
        }
        if (r == 0 && wants_cpus(limits)) {
                cpuset = open_optional(groups, TREE_CPUSET, err);
                r = cpuset < 0 ? cpuset : limit_cpus(groups, cpuset, limits, err);
        }
        if (r < 0 || hierarchy_is_v2(groups->hierarchy))
                return r;
        return open_followers(groups, (const int[]){ io, cpuset }, ret_fds, err);
}

/* ---- v1: into the groups that only this plan has --------------------------------------------------- */

int groups_follow(const int *fds, unsigned n, Error *err) {
        autofree char *text = NULL;
        char *line, *end;
        size_t length;
        unsigned i;
        int r;

        if (n < 2)
                return 0;
        r = fd_read_all(fds[0], FOLLOW_MAX, &text, &length);
        if (r < 0)
                return error_set(err, r, "list a jail's processes");
        for (line = text; *line; line = end + 1) {
                end = strchrnul(line, '\n');
                for (i = 1; r == 0 && i < n; i++)
                        r = fd_write_all(fds[i], line, (size_t) (end - line));
                if (r < 0)
                        return error_set(err, r, "move a jail's process into its group");
                if (!*end)
                        break;
        }
        return 0;
}

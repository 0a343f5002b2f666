/*
 * priv-builder: see priv-builder.h.
 *
 * Its stages are a table like those of stages.c, with the same contract: Must, Must not yet, Keeps. The order
 * is the security property; no stage is called from elsewhere.
 */
#include "sandbox/priv-builder.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/disk.h"
#include "sandbox/priv-caps.h"
#include "sandbox/priv-mount.h"
#include "sandbox/priv-root.h"
#include "sandbox/slot-groups.h"

/* An upper of another jail: cloned from the mount namespace that holds it, mapped into our range. */
static int clone_upper(const int *fds, int map, Error *err) {
        return mount_clone_from(fds[0], fds[1],
                                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, map, err);
}

typedef struct Build { /* what the builder works on */
        const Shell *shell;
        BuildOrder order;
        int fds[BUILD_FDS_MAX];    /* as they came: the filter, then what the layers need */
        int layers[PLAN_USES_MAX]; /* detached mounts, view by view */
} Build;

static int stage_order(Build *build, Error *err) {
        BuildOrder *order = &build->order;
        int batch[FDS_MAX], channel = build->shell->report;
        unsigned n_batch, n = 0;
        ssize_t got = fds_recv(channel, order, sizeof(*order), batch, &n_batch);

        if (got == 0)
                _exit(0); /* nobody wants this shell any more */
        if (got != sizeof(*order) || order->n_fds > BUILD_FDS_MAX ||
            order->n_uses > PLAN_USES_MAX || order->n_groups > order->n_fds)
                return error_say(err, -EPROTO, "the plan did not arrive whole");
        for (;;) {
                uint8_t more;

                if (n_batch > order->n_fds - n)
                        return error_say(err, -EPROTO, "more descriptors than the plan names");
                memcpy(build->fds + n, batch, n_batch * sizeof(int));
                n += n_batch;
                if (n == order->n_fds)
                        return 0;
                if (fds_recv(channel, &more, 1, batch, &n_batch) != 1 || n_batch == 0)
                        return error_say(err, -EPROTO, "a layer's descriptor did not arrive");
        }
}

static int boot_send(const Build *build, uint32_t kind, int fd, Error *err) {
        const Plan *plan = &build->order.plan;
        BootMessage boot = { .kind = kind,
                             .flags = plan->flags | (plan_is_shared(plan) ? BOOT_SHARED : 0) |
                                      (plan_disk(plan) < 0 ? 0 : BOOT_DISK),
                             .builder = (int32_t) getpid(),
                             .uid = plan->uid,
                             .gid = plan->gid };
        ssize_t r = fds_send(build->shell->boot[0], &boot, sizeof(boot), &fd, fd >= 0 ? 1 : 0);

        return r < 0 ? error_set(err, (int) r, "tell init about the plan") : 0;
}

static int stage_tell_init(Build *build, Error *err) {
        return boot_send(build, BOOT_PLAN, build->fds[0], err);
}

/* Flags are read back here: where a caller serves the file system and does not answer, we can be killed. */
static int check_layer(int mount, uint32_t kind, Error *err) {
        unsigned attr = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

        return mount_check_flags(mount, attr | (kind == BUILD_CHANGED ? 0 : MOUNT_ATTR_RDONLY),
                                 err);
}

/*
 * A v1 cpuset takes a process only from who has CAP_SYS_NICE over it. A child has that where it matters,
 * in the jail's user namespace, and nowhere else: the service need not have it at all.
 */
static int stage_follow(Build *build, Error *err) {
        const BuildOrder *order = &build->order;
        const Shell *shell = build->shell;
        int status = -1;
        pid_t pid;

        if (order->n_groups == 0)
                return 0;
        pid = stage_clone();
        if (pid < 0)
                return error_set(err, -errno, "clone a process");
        if (pid == 0) {
                if (setns(shell->userns, CLONE_NEWUSER) < 0)
                        (void) error_set(err, -errno, "enter the jail's user namespace");
                else if (groups_follow(build->fds + order->n_fds - order->n_groups, order->n_groups,
                                       err) == 0)
                        _exit(0);
                stage_fail(shell->report, "enter the groups of this plan", err);
        }
        if (waitpid(pid, &status, 0) < 0 || status != 0)
                return error_say(err, -ECHILD, "the process that does it failed");
        return 0;
}

static int stage_layers(Build *build, Error *err) {
        uint32_t i, next = plan_disk(&build->order.plan) < 0 ? 1 : 1 + BUILD_DISK_FDS;
        int r;

        for (i = 0; i < build->order.n_uses; i++) {
                uint8_t kind = build->order.layer_kinds[i];
                const int *fds = build->fds + next;

                next += kind == BUILD_UPPER ? 3 : kind == BUILD_UPPER_SAME ? 2 : 1;
                if (next > build->order.n_fds)
                        return error_say(err, -EPROTO, "a layer has too few descriptors");
                build->layers[i] =
                        kind == BUILD_MOUNT || kind == BUILD_CHANGED
                                ? fds[0]
                                : clone_upper(fds, kind == BUILD_UPPER ? fds[2] : -EBADF, err);
                r = build->layers[i] < 0 ? build->layers[i]
                                         : check_layer(build->layers[i], kind, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Over the place of the uppers: what a jail writes is then on its disk, at the same paths. */
static int stage_disk(Build *build, Error *err) {
        autoclose int device = -EBADF, mount = -EBADF;

        if (plan_disk(&build->order.plan) < 0)
                return 0;
        if (build->order.n_fds < 1 + BUILD_DISK_FDS)
                return error_say(err, -EPROTO, "a disk has too few descriptors");
        device = disk_attach(build->fds[1], build->fds[2], err);
        if (device < 0)
                return device;
        mount = mount_disk(device, build->fds[3], err);
        return mount < 0 ? disk_refused(build->fds[1], mount, err)
                         : mount_attach(mount, build->shell->root, "u", err);
}

static int stage_jail_root(Build *build, Error *err) {
        const Plan *plan = &build->order.plan;

        if (sethostname(plan->hostname, strlen(plan->hostname)) < 0)
                return error_set(err, -errno, "set the host name");
        return root_build(build->shell, plan, build->layers, err);
}

/* What a snapshot's /etc says is read and completed by a child of init, without the host's privilege. */
static int stage_etc(Build *build, Error *err) {
        const Plan *plan = &build->order.plan;
        Error said;
        int r;

        /* the skeleton's own user, and no layer above it that could say otherwise */
        if ((plan->flags & PLAN_HOST_ROOT) && plan->views[0].n == 1 && plan->uid == JAIL_USER_ID &&
            plan->gid == JAIL_USER_ID)
                return 0;
        r = boot_send(build, BOOT_ETC, -EBADF, err);
        if (r < 0)
                return r;
        if (recv(build->shell->boot[0], &said, sizeof(said), 0) != sizeof(said))
                return error_say(err, -EPROTO, "init did not answer");
        said.text[ERROR_TEXT_MAX - 1] = 0;
        return said.code < 0 ? error_say(err, said.code, "%s", said.text) : 0;
}

static int stage_report(Build *build, Error *err) {
        const Shell *shell = build->shell;
        Report report = { .kind = REPORT_BUILT };
        int fds[2];
        ssize_t r;

        fds[0] = root_upper(shell, &build->order.plan, err);
        if (fds[0] < 0)
                return fds[0];
        fds[1] = openat(shell->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
        if (fds[1] < 0)
                return error_set(err, -errno, "open the jail's mount namespace");
        r = fds_send(shell->report, &report, sizeof(report), fds, 2);
        if (r < 0)
                return error_set(err, (int) r, "report the jail");
        return boot_send(build, BOOT_BUILT, -EBADF, err);
}

static const struct {
        int (*run)(Build *build, Error *err);
        const char *name;
} build_stages[] = {
        { stage_order, "take the plan" },
        /* Must: init has the policy's filter, and loads it into the parked child while we mount.
         * Must not yet: a command: init waits for our end. */
        { stage_tell_init, "tell init" },
        /* Must: what is counted as a command is in the groups that only this plan has (v1: io, cpuset).
         * Must not yet: a command. Keeps: nothing; the descriptors end with the builder. */
        { stage_follow, "enter the groups of this plan" },
        /* Must: each layer a detached mount, mapped to the jail's ids, nosuid, nodev, and read-only but
         * where the plan lets the jail change it. The monitor made those; uppers of other jails are
         * cloned here.
         * Keeps: nothing of the other jail's mount namespace but these mounts. */
        { stage_layers, "take the layers" },
        /* Must: the uppers of a workspace lie on its disk, whose ids are mapped to the jail's, nosuid, nodev.
         * The image is root's and was written by mke2fs and this kernel alone; its lock, which nobody else
         * has, stays as long as the device. Keeps: nothing: image and device close with the builder. */
        { stage_disk, "mount the workspace's disk" },
        /* Must: every process of the jail stands in its own root; no path leads to the shell's.
         * Must not yet: report: a front could send a command. */
        { stage_jail_root, "make the jail's root" },
        /* Must: the jail's user has a name and a home. Must not yet: before the root is init's own, in which
         * its child works. Keeps: nothing: that child has three capabilities in the jail's user namespace. */
        { stage_etc, "complete the jail's /etc" },
        /* Must: all the above. Keeps: nothing; the builder ends after it. */
        { stage_report, "report the jail" },
};

static int offer_shell(const Shell *shell, Error *err) {
        Report report = { .kind = REPORT_SHELL };
        BootMessage boot;
        int fds[FDS_MAX];
        unsigned n_fds;
        ssize_t r = fds_recv(shell->boot[0], &boot, sizeof(boot), fds, &n_fds);

        if (r != sizeof(boot) || boot.kind != BOOT_SHELL)
                return error_say(err, -EPROTO, "init ended before it was ready");
        r = fds_send(shell->report, &report, sizeof(report), &shell->mapped,
                     shell->need_mapped ? 1 : 0);
        return r < 0 ? error_set(err, (int) r, "report the shell") : 0;
}

int builder_run(void *userdata) {
        Shell own = *(const Shell *) userdata, *shell = &own;
        Build build = { .shell = shell };
        Error err = ERROR_EMPTY;
        unsigned i;
        int r;

        /* init executes first, see stages.c: until then errno is its own. It must hear of a dead spawner */
        (void) (close(shell->boot[1]) + close(shell->spawner[0]) + close(shell->spawner[1]));
        (void) close(shell->front);
        (void) recv(shell->boot[0], &i, 1, MSG_PEEK);
        r = caps_of_builder(&err);
        if (r == 0)
                r = offer_shell(shell, &err);
        if (r < 0)
                stage_fail(shell->report, "start the builder", &err);
        for (i = 0; i < ELEMENTS(build_stages); i++)
                if (build_stages[i].run(&build, &err) < 0)
                        stage_fail(shell->report, build_stages[i].name, &err);
        _exit(0);
}

/*
 * stages: the ordered life of a jail's processes before they execute warder-init.
 *
 * Theory of operation. The monitor clones one process into a new pid namespace: the jail's process 1. It
 * runs the table shell_stages[] and ends as init. On its way it makes two children:
 *
 *   spawner   enters the groups of commands (on a v1 host that may wait for RCU) and executes the same
 *             program as init; whatever it clones is counted as a command without entering anything
 *   builder   stays what it is, root of the host with the capabilities that mounting needs, until the
 *             monitor sends a plan; it runs build_stages[] and is gone before the first command starts
 *             (init waits for its end)
 *
 * So all that needs no plan, both executions of warder-init included, is paid before anybody asks for a
 * jail, and what remains on the path is mounting. Init's and the spawner's root follow the builder's
 * pivot_root(2), which moves every process of its mount namespace that stands in the old root.
 *
 * Each stage's contract stands above its row: Must (what holds afterwards), Must not yet (what would break
 * if it came earlier), Keeps (the privilege that goes on). The order is the security property: a stage is
 * called from the table and from nowhere else. A failed stage reports the whole Error and ends the
 * process; as process 1 or as a child that init waits for, that ends the jail.
 *
 * Init and the spawner run as JAIL_INIT_ID inside a user namespace that owns neither the mounts nor the
 * network: they keep SETUID, SETGID, KILL (to start commands under other ids and to end them) and, until
 * the plan says that it is no files job, CHOWN, DAC_OVERRIDE and FOWNER.
 */
#include "sandbox/stages.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/landlock.h"
#include "sandbox/priv-cgroup.h"
#include "sandbox/priv-ids.h"
#include "sandbox/priv-mount.h"
#include "sandbox/priv-root.h"
#include "sandbox/priv-slot.h"

#define CAP_BIT(C) (1ull << (C))
#define INIT_CAPS                                                                             \
        (CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETGID) | CAP_BIT(CAP_KILL) | CAP_BIT(CAP_CHOWN) | \
         CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER))
/* mounting and setns; what an overlay's copy-up borrows from its maker */
#define BUILDER_CAPS                                                             \
        (CAP_BIT(CAP_SYS_ADMIN) | CAP_BIT(CAP_SYS_CHROOT) | CAP_BIT(CAP_CHOWN) | \
         CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID))
#define CAPS_ALL  (~0ull)
#define NO_DOMAIN "(none)" /* as a kernel starts */
#define HIGH_FD   64       /* above every fixed descriptor */

#define SECUREBITS                                                       \
        (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
         SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED)

typedef struct Stage {
        int (*run)(Shell *shell, Error *err);
        const char *name;
} Stage;

_Noreturn static void stage_fail(int report, const char *name, Error *err) {
        Report message = { .kind = REPORT_FAILED };

        (void) error_add(err, err->code, "%s", name);
        message.error = *err;
        (void) fds_send(report, &message, sizeof(message), NULL, 0);
        _exit(1);
}

static void run_stages(const Stage *stages, Shell *shell) {
        Error err = ERROR_EMPTY;

        for (; stages->run; stages++)
                if (stages->run(shell, &err) < 0)
                        stage_fail(shell->report, stages->name, &err);
}

/* ---- small parts ---------------------------------------------------------------------------------- */

static pid_t clone_child(void) {
        struct clone_args args = { .exit_signal = SIGCHLD };

        return (pid_t) syscall(SYS_clone3, &args, sizeof(args));
}

static int set_caps(uint64_t held, uint64_t inheritable, Error *err) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];
        unsigned i;

        for (i = 0; i < 2; i++) {
                data[i].permitted = data[i].effective = (uint32_t) (held >> (32 * i));
                data[i].inheritable = (uint32_t) (inheritable >> (32 * i));
        }
        if (syscall(SYS_capset, &head, data) < 0)
                return error_set(err, -errno, "set capabilities");
        return 0;
}

/* Closes everything above stderr but @keep, which has @n entries in any order. */
static int close_but(const int *keep, unsigned n, Error *err) {
        unsigned from = 3, i, next;

        for (;;) {
                next = ~0u;
                for (i = 0; i < n; i++)
                        if (keep[i] >= 0 && (unsigned) keep[i] >= from && (unsigned) keep[i] < next)
                                next = (unsigned) keep[i];
                if (next > from &&
                    syscall(SYS_close_range, from, next == ~0u ? next : next - 1, 0) < 0)
                        return error_set(err, -errno, "close descriptors");
                if (next == ~0u)
                        return 0;
                from = next + 1;
        }
}

/* Dies with @parent, whatever kills that. Lost by a change of ids: called again after it. */
static int die_with_parent(Error *err) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return error_set(err, -errno, "tie this process to its parent");
        return 0;
}

/* ---- the shell ------------------------------------------------------------------------------------ */

/* What is ignored stays so through every exec, down to the jail's commands: no caller's habit may */
static void default_signals(void) {
        sigset_t none;

        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        for (int i = 1; i < NSIG; i++) /* fails for SIGKILL, SIGSTOP and what libc keeps */
                (void) signal(i, SIG_DFL);
}

static int stage_alone(Shell *shell, Error *err) {
        int keep[] = { shell->exe,
                       shell->report,
                       shell->front,
                       shell->hierarchy->base[TREE_V2],
                       shell->hierarchy->base[TREE_MEMORY],
                       shell->hierarchy->base[TREE_PIDS],
                       shell->hierarchy->base[TREE_CPU] };
        /* 1, not 0: below a page no core is written, and only 1 also keeps a crash from the program
         * that the host's core_pattern may name: that one would run as root over a jail's memory */
        const struct rlimit core = { 1, 1 }, none = { 0, 0 };
        int r;

        default_signals();
        (void) umask(0);
        (void) setsid();
        /* a kernel without keyrings has none to leave */
        (void) syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
        if ((setrlimit(RLIMIT_CORE, &core) < 0 && setrlimit(RLIMIT_CORE, &none) < 0) ||
            prctl(PR_SET_DUMPABLE, 0) < 0)
                return error_set(err, -errno, "forbid core dumps");
        r = die_with_parent(err);
        return r < 0 ? r : close_but(keep, ELEMENTS(keep), err);
}

static int stage_groups(Shell *shell, Error *err) {
        unsigned i;
        int r = groups_make(shell->hierarchy, shell->number, shell->id_base + JAIL_INIT_ID, err);

        if (r == 0)
                r = groups_enter_jail(shell->hierarchy, shell->number, err);
        for (i = 0; r == 0 && i < JAIL_SLOTS_FIRST; i++) {
                shell->slots[i] = groups_slot_dir(shell->hierarchy, shell->number, i, err);
                r = shell->slots[i] < 0 ? shell->slots[i] : 0;
        }
        return r;
}

static int stage_namespaces(Shell *shell, Error *err) {
        struct mount_attr private = { .propagation = MS_PRIVATE };
        const MountOption options[] = { { 0 } };

        if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) < 0)
                return error_set(err, -errno, "leave the host's namespaces");
        if (setdomainname(NO_DOMAIN, strlen(NO_DOMAIN)) < 0)
                return error_set(err, -errno, "leave the host's domain name");
        if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof(private)) < 0)
                return error_set(err, -errno, "make all mounts private");
        shell->proc = mount_new("proc", options,
                                MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);
        return shell->proc < 0 ? shell->proc : 0;
}

static int stage_init_group(Shell *shell, Error *err) {
        return groups_enter_init(shell->hierarchy, shell->number, err);
}

static int stage_network(Shell *shell, Error *err) {
        autoclose int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        autoclose int port = -EBADF;
        struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

        if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &lo) < 0)
                return error_set(err, -errno, "bring the loopback interface up");
        port = openat(shell->proc, "sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC);
        if (port < 0 || write(port, "0", 1) < 0)
                return error_set(err, -errno, "let commands bind ports below 1024");
        return 0;
}

static int stage_ids(Shell *shell, Error *err) {
        const IdMap jail = { .outside_uid = shell->id_base,
                             .outside_gid = shell->id_base,
                             .count = JAIL_IDS,
                             .owner = shell->id_base + JAIL_IDS - 1 };
        const IdMap store = { .inside_uid = shell->store_base,
                              .inside_gid = shell->store_base,
                              .outside_uid = shell->id_base,
                              .outside_gid = shell->id_base,
                              .count = JAIL_IDS };

        shell->userns = userns_new(shell->proc, &jail, err);
        if (shell->userns >= 0 && shell->need_mapped) {
                shell->mapped = userns_new(shell->proc, &store, err);
                return shell->mapped < 0 ? shell->mapped : 0;
        }
        return shell->userns < 0 ? shell->userns : 0;
}

static int stage_root(Shell *shell, Error *err) {
        autoclose int null = -EBADF;
        int r = root_take_host(shell, err), fd;

        if (r == 0)
                r = root_enter_shell(shell, err);
        if (r < 0)
                return r;
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (fd = 0; fd <= 2; fd++)
                if (null < 0 || dup2(null, fd) < 0)
                        return error_set(err, -errno, "leave the monitor's stdio");
        return 0;
}

/* Puts @from at fixed numbers 3, 4, … and marks everything above for closing by exec. */
static int place_fds(const int *from, unsigned n, int *exe, Error *err) {
        int high[8];
        unsigned i;

        for (i = 0; i < n; i++)
                high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, HIGH_FD);
        *exe = fcntl(*exe, F_DUPFD_CLOEXEC, HIGH_FD);
        for (i = 0; i < n; i++)
                if (high[i] < 0 || dup2(high[i], 3 + (int) i) < 0)
                        return error_set(err, -errno, "place descriptor %u of init", 3 + i);
        if (*exe < 0 || syscall(SYS_close_range, 3 + n, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
                return error_set(err, -errno, "close descriptors at exec");
        return 0;
}

/* Takes init's id in the jail's user namespace; all other privilege is gone afterwards. */
static int become_init_id(const Shell *shell, Error *err) {
        unsigned cap;
        int r;

        if (setns(shell->userns, CLONE_NEWUSER) < 0)
                return error_set(err, -errno, "enter the jail's user namespace");
        if (prctl(PR_SET_SECUREBITS, SECUREBITS) < 0)
                return error_set(err, -errno, "lock securebits");
        if (syscall(SYS_setgroups, 0, NULL) < 0 ||
            syscall(SYS_setresgid, JAIL_INIT_ID, JAIL_INIT_ID, JAIL_INIT_ID) < 0 ||
            syscall(SYS_setresuid, JAIL_INIT_ID, JAIL_INIT_ID, JAIL_INIT_ID) < 0)
                return error_set(err, -errno, "take init's id");
        /* inheritable must be raised while the bounding set allows it, ambient follows inheritable */
        r = set_caps(CAPS_ALL >> (63 - CAP_LAST_CAP), INIT_CAPS, err);
        if (r < 0)
                return r;
        for (cap = 0; cap < 64; cap++) {
                if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
                        return error_set(err, -errno, "empty the bounding set");
                if ((INIT_CAPS & CAP_BIT(cap)) &&
                    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
                        return error_set(err, -errno, "make a capability of init ambient");
        }
        if (prctl(PR_SET_SECUREBITS, SECUREBITS | SECBIT_NO_CAP_AMBIENT_RAISE |
                                             SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED) < 0)
                return error_set(err, -errno, "lock securebits");
        return set_caps(INIT_CAPS, INIT_CAPS, err);
}

static int execute(const Shell *shell, const char *role, const int *fds, unsigned n, Error *err) {
        char name[16] = { 0 };
        char *const argv[] = { name, NULL }, *const envp[] = { NULL };
        int exe = shell->exe, r;

        (void) strncpy(name, role, sizeof(name) - 1);
        r = become_init_id(shell, err);
        if (r == 0)
                r = place_fds(fds, n, &exe, err);
        if (r == 0)
                r = die_with_parent(err);
        if (r < 0)
                return r;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
                return error_set(err, -errno, "give up new privileges");
        (void) execveat(exe, "", argv, envp, AT_EMPTY_PATH);
        return error_set(err, -errno, "execute warder-init from its memfd");
}

static int stage_spawner(Shell *shell, Error *err) {
        pid_t pid;
        int r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, shell->spawner) < 0 ||
            socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, shell->boot) < 0)
                return error_set(err, -errno, "make sockets between a jail's processes");
        pid = clone_child();
        if (pid < 0)
                return error_set(err, -errno, "clone the spawner");
        if (pid > 0)
                return 0;
        r = groups_enter_cmd(shell->hierarchy, shell->number, err);
        if (r == 0)
                r = landlock_confine(shell, err);
        if (r == 0)
                (void) execute(shell, "warder-spawner", &shell->spawner[1], 1, err);
        stage_fail(shell->report, "spawner", err);
}

static void run_builder(Shell *shell);

static int stage_builder(Shell *shell, Error *err) {
        pid_t pid = clone_child();

        if (pid < 0)
                return error_set(err, -errno, "clone the builder");
        if (pid == 0)
                run_builder(shell);
        return 0;
}

static int stage_init(Shell *shell, Error *err) {
        int fds[_INIT_FD_MAX - INIT_FD_FRONT];

        fds[INIT_FD_FRONT - INIT_FD_FRONT] = shell->front;
        fds[INIT_FD_BOOT - INIT_FD_FRONT] = shell->boot[1];
        fds[INIT_FD_SPAWNER - INIT_FD_FRONT] = shell->spawner[0];
        memcpy(fds + INIT_FD_SLOTS - INIT_FD_FRONT, shell->slots, sizeof(shell->slots));
        return execute(shell, "warder-init", fds, ELEMENTS(fds), err);
}

static const Stage shell_stages[] = {
        /* Must: no descriptor, signal, session or keyring of the monitor's; ends with the monitor.
         * Must not yet: anything that could block, before the tie to the monitor.
         * Keeps: root of the host, all capabilities. */
        { stage_alone, "leave the monitor behind" },
        /* Must: in the jail's group; slot directories are mounts of their own.
         * Must not yet: leave the mount namespace, whose cgroup mounts are cloned here.
         * Keeps: as before. */
        { stage_groups, "make the jail's groups" },
        /* Must: own mount, network, IPC, UTS and cgroup namespace (after the groups: they become its
         * root), no mount propagates; a proc of the new pid namespace.
         * Must not yet: a child, which would be in the old ones.
         * Keeps: as before. */
        { stage_namespaces, "enter new namespaces" },
        /* Must: in init's own group, outside the commands' limits.
         * Must not yet: before the cgroup namespace, whose root is then the jail's group: where the v2
         * tree is mounted with nsdelegate, nobody inside may clone into a group above that root. */
        { stage_init_group, "enter init's group" },
        { stage_network, "set up the network namespace" },
        /* Must: user namespaces mapped to the jail's range, with nobody in them.
         * Must not yet: enter: overlay refuses uppers made by a user namespace's root. */
        { stage_ids, "map the jail's ids" },
        /* Must: the old root is detached; nothing of the host is reachable by path, nor by stdio.
         * Must not yet: untrusted layers; nothing here was made by a user.
         * Keeps: clones of the host's /usr and others, nosuid, nodev, read-only. */
        { stage_root, "make the shell's root" },
        /* Must: the spawner is counted as a command (v1), has init's id, and is in the Landlock domain that
         * all commands of this jail will share. Must not yet: before the root, which the domain is made of;
         * init stays outside: it signals commands, they do not signal it. Keeps: SETUID, SETGID, KILL
         * (with the three of files jobs until the plan is known). */
        { stage_spawner, "start the spawner" },
        /* Must: a builder waits for the plan. Keeps: BUILDER_CAPS in the host's user namespace. */
        { stage_builder, "start the builder" },
        /* Must: init's id, bounding set empty, securebits locked, no new privileges, undumpable.
         * Keeps: as the spawner. Comes last: it does not return. */
        { stage_init, "become init" },
        { NULL, NULL },
};

/* ---- the builder ---------------------------------------------------------------------------------- */

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
                             .flags = plan->flags | (plan_is_shared(plan) ? BOOT_SHARED : 0),
                             .builder = (int32_t) getpid() };
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
        pid = clone_child();
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
        uint32_t i, next = 1;
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

static int stage_jail_root(Build *build, Error *err) {
        const Plan *plan = &build->order.plan;

        if (sethostname(plan->hostname, strlen(plan->hostname)) < 0)
                return error_set(err, -errno, "set the host name");
        return root_build(build->shell, plan, build->layers, err);
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
        /* Must: every process of the jail stands in its own root; no path leads to the shell's.
         * Must not yet: report: a front could send a command. */
        { stage_jail_root, "make the jail's root" },
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

_Noreturn static void run_builder(Shell *shell) {
        Build build = { .shell = shell };
        Error err = ERROR_EMPTY;
        unsigned i;
        int r = 0;

        fds_close(&shell->boot[1], 1);
        fds_close(shell->spawner, 2);
        fds_close(&shell->front, 1);
        if (prctl(PR_SET_SECUREBITS, SECUREBITS) < 0)
                r = error_set(&err, -errno, "lock securebits");
        if (r == 0)
                r = set_caps(BUILDER_CAPS, 0, &err);
        if (r == 0)
                r = offer_shell(shell, &err);
        if (r < 0)
                stage_fail(shell->report, "start the builder", &err);
        for (i = 0; i < ELEMENTS(build_stages); i++)
                if (build_stages[i].run(&build, &err) < 0)
                        stage_fail(shell->report, build_stages[i].name, &err);
        _exit(0);
}

int shell_start(const Shell *shell, int *ret_pidfd, Error *err) {
        int pidfd = -EBADF;
        struct clone_args args = { .flags = CLONE_NEWPID | CLONE_PIDFD,
                                   .pidfd = (uint64_t) (uintptr_t) &pidfd,
                                   .exit_signal = SIGCHLD };
        pid_t pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
        Shell own;

        if (pid < 0)
                return error_set(err, -errno, "clone a shell");
        if (pid > 0) {
                *ret_pidfd = pidfd;
                return 0;
        }
        own = *shell;
        run_stages(shell_stages, &own);
        _exit(1);
}

/*
 * stages: the ordered life of a jail's processes before they execute warder-init.
 *
 * Theory of operation. The monitor clones one process into a new pid namespace: the jail's process 1. It
 * runs the table shell_stages[] and ends as init. On its way it makes two children:
 *
 *   spawner   enters the groups of commands (on a v1 host that may wait for RCU) and executes the same
 *             program as init; whatever it clones is counted as a command without entering anything
 *   builder   stays what it is, root of the host with the capabilities that mounting needs, until the
 *             monitor sends a plan; it runs a table of its own (priv-builder.c) and is gone before the first command starts
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
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/groups.h"
#include "sandbox/landlock.h"
#include "sandbox/net-settings.h"
#include "sandbox/oom-order.h"
#include "sandbox/priv-builder.h"
#include "sandbox/priv-caps.h"
#include "sandbox/priv-mount.h"
#include "sandbox/priv-root.h"
#include "sandbox/priv-userns.h"
#include "sandbox/slot-groups.h"

#define NO_DOMAIN     "(none)" /* as a kernel starts */
#define HIGH_FD       64       /* above every fixed descriptor */
#define BUILDER_STACK (512u << 10)

typedef struct Stage {
        int (*run)(Shell *shell, Error *err);
        const char *name;
} Stage;

_Noreturn void stage_fail(int report, const char *name, Error *err) {
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

pid_t stage_clone(void) {
        struct clone_args args = { .exit_signal = SIGCHLD };

        return (pid_t) syscall(SYS_clone3, &args, sizeof(args));
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
        if (r < 0)
                return r;
        r = fds_close_others(keep, ELEMENTS(keep));
        return r < 0 ? error_set(err, r, "close descriptors") : 0;
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
        if (shell->proc < 0)
                return shell->proc;
        oom_order_common(shell->proc);
        shell->locks = openat(shell->proc, "locks", O_RDONLY | O_CLOEXEC);
        return shell->locks < 0 ? error_set(err, -errno, "open the jail's list of locks") : 0;
}

static int stage_init_group(Shell *shell, Error *err) {
        return groups_enter_init(shell->hierarchy, shell->number, err);
}

static int stage_network(Shell *shell, Error *err) {
        autoclose int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

        if (sock < 0 || ioctl(sock, SIOCSIFFLAGS, &lo) < 0)
                return error_set(err, -errno, "bring the loopback interface up");
        return net_settings(shell->proc, err);
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

static int execute(const Shell *shell, const char *role, const int *fds, unsigned n, Error *err) {
        char name[16] = { 0 };
        char *const argv[] = { name, NULL }, *const envp[] = { NULL };
        int exe = shell->exe, r;

        (void) strncpy(name, role, sizeof(name) - 1);
        r = caps_of_init(shell, err);
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
        pid = vfork(); /* on this memory, until it executes: a copy of it costs more than all else here */
        if (pid < 0)
                return error_set(err, -errno, "clone the spawner");
        if (pid > 0)
                return 0;
        /* elsewhere it is not counted with the commands */
        if (!hierarchy_is_v2(shell->hierarchy))
                oom_order_last(shell->proc);
        r = groups_enter_cmd(shell->hierarchy, shell->number, err);
        if (r == 0)
                r = landlock_confine(shell, err);
        if (r == 0)
                (void) execute(shell, "warder-spawner", &shell->spawner[1], 1, err);
        stage_fail(shell->report, "spawner", err);
}

static int stage_builder(Shell *shell, Error *err) {
        char *stack = mmap(NULL, BUILDER_STACK, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

        if (stack == MAP_FAILED ||
            clone(builder_run, stack + BUILDER_STACK, CLONE_VM | SIGCHLD, shell) < 0)
                return error_set(err, -errno, "clone the builder");
        return 0;
}

static int stage_init(Shell *shell, Error *err) {
        int fds[_INIT_FD_MAX - INIT_FD_FRONT];

        fds[INIT_FD_FRONT - INIT_FD_FRONT] = shell->front;
        fds[INIT_FD_BOOT - INIT_FD_FRONT] = shell->boot[1];
        fds[INIT_FD_SPAWNER - INIT_FD_FRONT] = shell->spawner[0];
        fds[INIT_FD_LOCKS - INIT_FD_FRONT] = shell->locks;
        memcpy(&fds[INIT_FD_SLOTS - INIT_FD_FRONT], shell->slots, sizeof(shell->slots));
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
        /* Must: a builder waits for the plan, on this memory, which is its own when we execute: before that it
         * does nothing. Keeps: BUILDER_CAPS in the host's user namespace. */
        { stage_builder, "start the builder" },
        /* Must: init's id, bounding set empty, securebits locked, no new privileges, undumpable.
         * Keeps: as the spawner. Comes last: it does not return. */
        { stage_init, "become init" },
        { NULL, NULL },
};

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

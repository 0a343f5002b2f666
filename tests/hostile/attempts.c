/*
 * attempts: attacks on other processes, and on one's own rights. credentials.t runs it outside a jail, where
 * each attack has a victim that lets it happen, and inside, against init and the spawner.
 *
 *     attempts rights     on its own credentials
 *     attempts weak       each on a fresh child of its own, of its own user
 *     attempts ID         each on every process of user ID
 *
 * Prints a line each: "GOT name", or "held name: why". Some of them signal every process they may: run it as
 * process 1 of a pid namespace, or in a jail.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"

#define IOPRIO_PROCESS 1
#define IOPRIO_PGRP    2
#define IOPRIO_USER    3
#define IOPRIO_IDLE    (3 << 13)
#define OTHER_ID       4242u
#define INIT_ID        65532u

static uint64_t word = 42; /* at the same address in a child */

static uid_t owner_of(pid_t victim) {
        char path[32], line[128];
        unsigned uid = ~0u;
        FILE *file;

        (void) snprintf(path, sizeof(path), "/proc/%d/status", (int) victim);
        file = fopen(path, "re");
        while (file && fgets(line, sizeof(line), file))
                if (sscanf(line, "Uid: %u", &uid) == 1)
                        break;
        if (file)
                (void) fclose(file);
        return uid;
}

static int open_of(pid_t victim, const char *name, int flags) {
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", (int) victim, name);
        return open(path, flags | O_CLOEXEC);
}

static bool opens(pid_t victim, const char *name, int flags) {
        autoclose int fd = open_of(victim, name, flags);

        return fd >= 0;
}

/* Opening some of these is free; what they say is not. */
static bool reads(pid_t victim, const char *name) {
        autoclose int fd = open_of(victim, name, O_RDONLY);
        char byte;

        return fd >= 0 && read(fd, &byte, 1) == 1;
}

static bool writes(pid_t victim, const char *name, const char *text) {
        autoclose int fd = open_of(victim, name, O_WRONLY);

        return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t) strlen(text);
}

static bool links(pid_t victim, const char *name) {
        char path[64], target[256];

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", (int) victim, name);
        return readlink(path, target, sizeof(target)) > 0;
}

/* ---- signals -------------------------------------------------------------------------------------- */

static bool try_kill(pid_t victim) {
        return kill(victim, SIGKILL) == 0;
}

static bool try_stop(pid_t victim) {
        return kill(victim, SIGSTOP) == 0;
}

static bool try_term(pid_t victim) {
        return kill(victim, SIGTERM) == 0;
}

static bool try_child_died(pid_t victim) {
        return kill(victim, SIGCHLD) == 0;
}

static bool try_thread(pid_t victim) {
        return syscall(SYS_tgkill, victim, victim, SIGKILL) == 0;
}

static bool try_queue(pid_t victim) {
        const union sigval value = { .sival_int = 1 };

        return sigqueue(victim, SIGUSR1, value) == 0;
}

static bool try_pidfd(pid_t victim) {
        autoclose int fd = (int) syscall(SYS_pidfd_open, victim, 0);

        return fd >= 0 && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
}

/* Some of the targets may die: what counts is the victim. */
static bool kills_many(pid_t target, pid_t victim) {
        (void) kill(target, SIGKILL);
        errno = EPERM;
        return waitpid(victim, NULL, 0) == victim || (kill(victim, 0) < 0 && errno == ESRCH);
}

static bool try_group(pid_t victim) {
        return kills_many(-getpgid(victim), victim);
}

static bool try_all(pid_t victim) {
        return kills_many(-1, victim);
}

static bool try_owner(pid_t victim) { /* SIGIO of a pipe that is told to belong to it */
        int ends[2];
        const struct f_owner_ex owner = { .type = F_OWNER_PID, .pid = victim };
        bool got;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return false;
        /* the kernel checks when it sends: what counts is that the victim dies of it */
        got = fcntl(ends[0], F_SETOWN_EX, &owner) == 0 && fcntl(ends[0], F_SETSIG, SIGKILL) == 0 &&
              fcntl(ends[0], F_SETFL, O_ASYNC) == 0 && write(ends[1], "x", 1) == 1;
        for (unsigned i = 0; got && i < 50 && kill(victim, 0) == 0; i++) {
                (void) waitpid(victim, NULL, WNOHANG);
                (void) usleep(1000);
        }
        (void) close(ends[0]);
        (void) close(ends[1]);
        errno = EPERM;
        return got && kill(victim, 0) < 0 && errno == ESRCH;
}

/* ---- limits and the scheduler --------------------------------------------------------------------- */

static bool try_read_limit(pid_t victim) {
        struct rlimit old;

        return prlimit(victim, RLIMIT_NOFILE, NULL, &old) == 0;
}

static bool try_limit(pid_t victim) {
        const struct rlimit none = { 0, 0 };

        return prlimit(victim, RLIMIT_CPU, &none, NULL) == 0;
}

static bool try_affinity(pid_t victim) {
        cpu_set_t set;

        return sched_getaffinity(0, sizeof(set), &set) == 0 &&
               sched_setaffinity(victim, sizeof(set), &set) == 0;
}

static bool try_scheduler(pid_t victim) {
        const struct sched_param param = { .sched_priority = 0 };

        return sched_setscheduler(victim, SCHED_IDLE, &param) == 0;
}

static bool try_param(pid_t victim) {
        const struct sched_param param = { .sched_priority = 0 };

        return sched_setparam(victim, &param) == 0;
}

static bool try_attr(pid_t victim) {
        struct {
                uint32_t size, policy;
                uint64_t flags;
                int32_t nice;
                uint32_t priority;
                uint64_t runtime, deadline, period;
        } attr = { .size = 48, .policy = SCHED_BATCH, .nice = 19 };

        return syscall(SYS_sched_setattr, victim, &attr, 0) == 0;
}

static bool try_nice(pid_t victim) {
        return setpriority(PRIO_PROCESS, (id_t) victim, 19) == 0;
}

static bool try_nice_group(pid_t victim) {
        return setpriority(PRIO_PGRP, (id_t) getpgid(victim), 19) == 0;
}

static bool try_nice_user(pid_t victim) {
        return setpriority(PRIO_USER, owner_of(victim), 19) == 0;
}

static bool try_io(pid_t victim) {
        return syscall(SYS_ioprio_set, IOPRIO_PROCESS, victim, IOPRIO_IDLE) == 0;
}

static bool try_io_group(pid_t victim) {
        return syscall(SYS_ioprio_set, IOPRIO_PGRP, getpgid(victim), IOPRIO_IDLE) == 0;
}

static bool try_io_user(pid_t victim) {
        return syscall(SYS_ioprio_set, IOPRIO_USER, owner_of(victim), IOPRIO_IDLE) == 0;
}

static bool try_move_group(pid_t victim) {
        return setpgid(victim, 0) == 0;
}

static bool try_cgroup(pid_t victim) {
        static const char *const places[] = { "/sys/fs/cgroup/cgroup.procs",
                                              "/sys/fs/cgroup/unified/cgroup.procs",
                                              "/sys/fs/cgroup/memory/cgroup.procs" };

        (void) victim; /* open only: the group is the host's */
        for (unsigned i = 0; i < ELEMENTS(places); i++) {
                autoclose int fd = open(places[i], O_WRONLY | O_CLOEXEC);

                if (fd >= 0)
                        return true;
        }
        return false;
}

/* ---- tracing and memory --------------------------------------------------------------------------- */

static bool try_attach(pid_t victim) {
        return ptrace(PTRACE_ATTACH, victim, NULL, NULL) == 0;
}

static bool try_seize(pid_t victim) {
        return ptrace(PTRACE_SEIZE, victim, NULL, NULL) == 0;
}

static bool try_vm_read(pid_t victim) {
        uint64_t got = 0;
        struct iovec here = { &got, sizeof(got) }, there = { &word, sizeof(word) };

        return process_vm_readv(victim, &here, 1, &there, 1, 0) == sizeof(got);
}

static bool try_vm_write(pid_t victim) {
        uint64_t value = 1;
        struct iovec here = { &value, sizeof(value) }, there = { &word, sizeof(word) };

        return process_vm_writev(victim, &here, 1, &there, 1, 0) == sizeof(value);
}

static bool try_madvise(pid_t victim) {
        autoclose int fd = (int) syscall(SYS_pidfd_open, victim, 0);
        const uintptr_t page = 4095;
        struct iovec there = { (void *) ((uintptr_t) &word & ~page), page + 1 };

        return fd >= 0 && syscall(SYS_process_madvise, fd, &there, 1, 20 /* COLD */, 0) > 0;
}

static bool try_migrate(pid_t victim) {
        unsigned long node = 1;

        return syscall(SYS_migrate_pages, victim, 8 * sizeof(node), &node, &node) == 0;
}

static bool try_getfd(pid_t victim) {
        autoclose int pidfd = (int) syscall(SYS_pidfd_open, victim, 0);
        autoclose int fd = pidfd < 0 ? -EBADF : (int) syscall(SYS_pidfd_getfd, pidfd, 0, 0);

        return fd >= 0;
}

static bool try_kcmp(pid_t victim) {
        return syscall(SYS_kcmp, getpid(), victim, KCMP_VM, 0, 0) >= 0;
}

static bool try_robust(pid_t victim) {
        void *head;
        size_t n;

        return syscall(SYS_get_robust_list, victim, &head, &n) == 0;
}

static bool try_perf(pid_t victim) {
        struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
                                        .size = sizeof(attr),
                                        .config = PERF_COUNT_SW_TASK_CLOCK };
        autoclose int fd = (int) syscall(SYS_perf_event_open, &attr, victim, -1, -1, 0);

        return fd >= 0;
}

static bool try_namespace(pid_t victim) {
        autoclose int fd = open_of(victim, "ns/net", O_RDONLY);

        return fd >= 0 && setns(fd, 0) == 0;
}

/* ---- what /proc says of it ------------------------------------------------------------------------ */

#define READS(NAME, FILE)                       \
        static bool read_##NAME(pid_t victim) { \
                return reads(victim, FILE);     \
        }                                       \
        struct attempts_needs_a_semicolon
#define OPENS(NAME, FILE, FLAGS)                   \
        static bool open_##NAME(pid_t victim) {    \
                return opens(victim, FILE, FLAGS); \
        }                                          \
        struct attempts_needs_a_semicolon
#define WRITES(NAME, FILE, TEXT)                   \
        static bool write_##NAME(pid_t victim) {   \
                return writes(victim, FILE, TEXT); \
        }                                          \
        struct attempts_needs_a_semicolon
#define LINKS(NAME)                             \
        static bool link_##NAME(pid_t victim) { \
                return links(victim, #NAME);    \
        }                                       \
        struct attempts_needs_a_semicolon

READS(environ, "environ");
READS(maps, "maps");
READS(auxv, "auxv");
READS(smaps, "smaps_rollup");
READS(syscall, "syscall");
READS(stack, "stack");
READS(io, "io");
READS(personality, "personality");
OPENS(mem, "mem", O_RDWR);
OPENS(pagemap, "pagemap", O_RDONLY);
OPENS(fds, "fd", O_RDONLY | O_DIRECTORY);
OPENS(fd_0, "fd/0", O_RDONLY);
OPENS(map_files, "map_files", O_RDONLY | O_DIRECTORY);
OPENS(root_dir, "root/", O_RDONLY | O_DIRECTORY);
OPENS(cwd_dir, "cwd/", O_RDONLY | O_DIRECTORY);
OPENS(mount_ns, "ns/mnt", O_RDONLY);
LINKS(exe);
LINKS(cwd);
LINKS(root);
WRITES(oom_score, "oom_score_adj", "500");
WRITES(coredump_filter, "coredump_filter", "0x33");
WRITES(timerslack, "timerslack_ns", "50000");
WRITES(clear_refs, "clear_refs", "1");
WRITES(autogroup, "autogroup", "10");

/* ---- one's own rights ----------------------------------------------------------------------------- */

static bool capabilities(bool effective) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { { 0 } };

        if (syscall(SYS_capget, &head, data) < 0)
                return false;
        errno = EPERM;
        return effective ? (data[0].effective | data[1].effective) != 0
                         : (data[0].permitted | data[1].permitted) != 0;
}

static bool has_effective(pid_t none) {
        (void) none;
        return capabilities(true);
}

static bool has_permitted(pid_t none) {
        (void) none;
        return capabilities(false);
}

static bool raise_inheritable(pid_t none) {
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { { 0 } };

        (void) none;
        if (syscall(SYS_capget, &head, data) < 0)
                return false;
        if (data[0].inheritable || data[1].inheritable)
                return true;
        data[0].inheritable |= 1u << CAP_CHOWN;
        return syscall(SYS_capset, &head, data) == 0;
}

static bool raise_ambient(pid_t none) {
        (void) none;
        for (unsigned cap = 0; cap < 64; cap++)
                if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1)
                        return true;
        (void) raise_inheritable(0);
        return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0;
}

static bool has_bounding(pid_t none) {
        (void) none;
        for (unsigned cap = 0; cap < 64; cap++)
                if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
                        return true;
        errno = EPERM;
        return false;
}

static bool securebits_open(pid_t none) {
        const int locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                           SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                           SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

        (void) none;
        errno = EPERM;
        return (prctl(PR_GET_SECUREBITS) & locked) != locked;
}

static bool securebits_set(pid_t none) {
        (void) none;
        return prctl(PR_SET_SECUREBITS, 0) == 0;
}

static bool keep_caps(pid_t none) {
        (void) none;
        return prctl(PR_SET_KEEPCAPS, 1) == 0;
}

static bool new_privileges(pid_t none) {
        (void) none;
        errno = EPERM;
        return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
}

static bool take_group(pid_t none) {
        const gid_t group = 5;

        (void) none;
        return syscall(SYS_setgroups, 1, &group) == 0 || getgroups(0, NULL) > 0;
}

static bool take_init_id(pid_t none) {
        (void) none;
        return syscall(SYS_setresuid, -1, INIT_ID, -1) == 0;
}

static bool take_init_gid(pid_t none) {
        (void) none;
        return syscall(SYS_setresgid, -1, INIT_ID, -1) == 0;
}

static bool take_other_id(pid_t none) {
        (void) none;
        return syscall(SYS_setuid, OTHER_ID) == 0;
}

static bool take_fsuid(pid_t none) {
        (void) none;
        (void) setfsuid(INIT_ID);
        errno = EPERM;
        return setfsuid(INIT_ID) == (int) INIT_ID;
}

static bool new_user_namespace(pid_t none) {
        (void) none;
        return unshare(CLONE_NEWUSER) == 0;
}

static bool clone_user_namespace(pid_t none) {
        long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

        (void) none;
        if (pid == 0)
                _exit(0);
        return pid > 0 && waitpid((pid_t) pid, NULL, 0) == pid;
}

static bool change_root(pid_t none) {
        (void) none;
        return chroot("/") == 0;
}

static bool real_time(pid_t none) {
        const struct sched_param param = { .sched_priority = 1 };

        (void) none;
        return sched_setscheduler(0, SCHED_FIFO, &param) == 0;
}

static bool be_first(pid_t none) {
        (void) none;
        return setpriority(PRIO_PROCESS, 0, -5) == 0;
}

static bool real_time_io(pid_t none) {
        (void) none;
        return syscall(SYS_ioprio_set, IOPRIO_PROCESS, 0, (1 << 13) | 4) == 0;
}

static bool force_buffer(pid_t none) {
        const int bytes = 8 << 20;
        autoclose int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) none;
        return setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) == 0;
}

static bool bind_device(pid_t none) {
        autoclose int sock = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1 /* ICMP */);

        (void) none;
        return sock >= 0;
}

/* ---- the tables ----------------------------------------------------------------------------------- */

typedef struct Attempt {
        const char *name;
        bool (*got)(pid_t victim); /* false: errno says what held */
        bool many;                 /* kills its own parent as well: not in a child */
} Attempt;

static const Attempt on_rights[] = {
        { "have an effective capability", has_effective, false },
        { "have a permitted capability", has_permitted, false },
        { "have or raise an inheritable capability", raise_inheritable, false },
        { "have or raise an ambient capability", raise_ambient, false },
        { "have a capability in the bounding set", has_bounding, false },
        { "have securebits that are open", securebits_open, false },
        { "set securebits", securebits_set, false },
        { "keep capabilities over a change of id", keep_caps, false },
        { "have new privileges by exec", new_privileges, false },
        { "have or take a group", take_group, false },
        { "take init's user id", take_init_id, false },
        { "take init's group id", take_init_gid, false },
        { "take init's file system id", take_fsuid, false },
        { "change the root", change_root, false },
        { "open a raw socket", bind_device, false },
        { "force a socket's buffer", force_buffer, false },
        { "be real-time", real_time, false },
        { "have real-time input and output", real_time_io, false },
        { "be scheduled before others", be_first, false },
        { "clone a user namespace", clone_user_namespace, false },
        { "enter a new user namespace", new_user_namespace, false },
        { "take another user id", take_other_id, false },
};

static const Attempt on_victim[] = {
        { "kill", try_kill, false },
        { "stop", try_stop, false },
        { "terminate", try_term, false },
        { "fake the death of a child", try_child_died, false },
        { "kill the process group", try_group, true },
        { "kill the thread", try_thread, false },
        { "queue a signal", try_queue, false },
        { "kill by pidfd", try_pidfd, false },
        { "kill by an owned pipe", try_owner, false },
        { "kill everybody", try_all, true },
        { "read limits", try_read_limit, false },
        { "set limits", try_limit, false },
        { "set the processors", try_affinity, false },
        { "set the scheduler", try_scheduler, false },
        { "set scheduler parameters", try_param, false },
        { "set scheduler attributes", try_attr, false },
        { "make nice", try_nice, false },
        { "make the process group nice", try_nice_group, false },
        { "make the user nice", try_nice_user, false },
        { "set io priority", try_io, false },
        { "set io priority of the process group", try_io_group, false },
        { "set io priority of the user", try_io_user, false },
        { "move to another process group", try_move_group, false },
        { "reach a file that moves between groups", try_cgroup, false },
        { "trace", try_attach, false },
        { "seize", try_seize, false },
        { "read memory", try_vm_read, false },
        { "write memory", try_vm_write, false },
        { "advise on memory", try_madvise, false },
        { "migrate pages", try_migrate, false },
        { "take a descriptor", try_getfd, false },
        { "compare with itself", try_kcmp, false },
        { "find robust futexes", try_robust, false },
        { "count events", try_perf, false },
        { "enter a namespace", try_namespace, false },
        { "read environ", read_environ, false },
        { "read maps", read_maps, false },
        { "read auxv", read_auxv, false },
        { "read smaps_rollup", read_smaps, false },
        { "read syscall", read_syscall, false },
        { "read stack", read_stack, false },
        { "read io", read_io, false },
        { "read personality", read_personality, false },
        { "open mem", open_mem, false },
        { "open pagemap", open_pagemap, false },
        { "list fd", open_fds, false },
        { "open fd/0", open_fd_0, false },
        { "list map_files", open_map_files, false },
        { "open root", open_root_dir, false },
        { "open cwd", open_cwd_dir, false },
        { "open ns/mnt", open_mount_ns, false },
        { "follow exe", link_exe, false },
        { "follow cwd", link_cwd, false },
        { "follow root", link_root, false },
        { "write oom_score_adj", write_oom_score, false },
        { "write coredump_filter", write_coredump_filter, false },
        { "write timerslack_ns", write_timerslack, false },
        { "write clear_refs", write_clear_refs, false },
        { "write autogroup", write_autogroup, false },
};

static void say(bool got, const char *name) {
        (void) printf("%s %s%s%s\n", got ? "GOT" : "held", name, got ? "" : ": ",
                      got ? "" : strerror(errno));
        (void) fflush(stdout);
}

/* A child of the same user that lets everything happen. */
static pid_t weak_victim(void) {
        pid_t pid = fork();

        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;)
                        (void) pause();
        }
        (void) setpgid(pid, pid);
        return pid;
}

static void each_on_weak(void) {
        for (unsigned i = 0; i < ELEMENTS(on_victim); i++) {
                pid_t victim = weak_victim();

                errno = 0;
                say(on_victim[i].got(victim), on_victim[i].name);
                (void) kill(victim, SIGKILL);
                (void) waitpid(victim, NULL, 0);
        }
}

/* In a process of its own each: what one attempt gains or breaks is not the next one's. */
static void each_on(const Attempt *attempts, unsigned n, pid_t victim) {
        for (unsigned i = 0; i < n; i++) {
                pid_t pid = attempts[i].many ? 0 : fork();

                if (pid == 0) {
                        errno = 0;
                        say(attempts[i].got(victim), attempts[i].name);
                        if (!attempts[i].many)
                                _exit(0);
                } else {
                        (void) waitpid(pid, NULL, 0);
                }
        }
}

static unsigned each_of_user(uid_t uid) {
        DIR *proc = opendir("/proc");
        const struct dirent *entry;
        unsigned n = 0;

        while (proc && (entry = readdir(proc))) {
                pid_t pid = atoi(entry->d_name);

                if (pid <= 0 || owner_of(pid) != uid)
                        continue;
                (void) printf("victim %d\n", (int) pid);
                (void) fflush(stdout);
                each_on(on_victim, ELEMENTS(on_victim), pid);
                n++;
        }
        if (proc)
                (void) closedir(proc);
        return n;
}

int main(int argc, char **argv) {
        if (argc != 2)
                return 2;
        if (strcmp(argv[1], "rights") == 0)
                each_on(on_rights, ELEMENTS(on_rights), 0);
        else if (strcmp(argv[1], "permitted") == 0) /* of a file with capabilities */
                say(capabilities(false), "gain a capability by a file");
        else if (strcmp(argv[1], "weak") == 0)
                each_on_weak();
        else if (each_of_user((uid_t) atoi(argv[1])) == 0)
                return 1;
        return 0;
}

/*
 * seccomp-widths: see seccomp-widths.h. A letter per argument: "i" 32 bits (int, unsigned, pid_t, an id),
 * "h" 16 bits (umode_t), "l" all 64.
 *
 * Three are not what their prototype says. clone's flags are an unsigned long of which the kernel keeps
 * lower_32_bits(). readv and its kin take an unsigned long and look the descriptor up as an int. And
 * unshare and ptrace do look at all 64: a high bit there is an unknown flag or request, so they stay "l".
 */
#include "sandbox/seccomp-widths.h"

#include <stddef.h>
#include <string.h>

#include "base/owned.h"

typedef struct Widths {
        const char *name, *letters;
} Widths;

/* clang-format off */
static const Widths table[] = {
        { "accept", "ill" }, { "accept4", "illi" }, { "access", "li" }, { "add_key", "lllli" },
        { "adjtimex", "l" }, { "alarm", "i" }, { "arch_prctl", "il" }, { "bind", "ili" },
        { "bpf", "ili" }, { "brk", "l" }, { "cachestat", "illi" }, { "chmod", "lh" },
        { "chown", "lii" }, { "clock_adjtime", "il" }, { "clock_getres", "il" },
        { "clock_gettime", "il" }, { "clock_nanosleep", "iill" }, { "clock_settime", "il" },
        { "clone", "illll" }, { "close", "i" }, { "close_range", "iii" }, { "connect", "ili" },
        { "copy_file_range", "ililli" }, { "creat", "lh" }, { "delete_module", "li" },
        { "dup", "i" }, { "dup2", "ii" }, { "dup3", "iii" }, { "epoll_create", "i" },
        { "epoll_create1", "i" }, { "epoll_ctl", "iiil" }, { "epoll_pwait", "iliill" },
        { "epoll_pwait2", "ililll" }, { "epoll_wait", "ilii" }, { "eventfd", "i" },
        { "eventfd2", "ii" }, { "execve", "lll" }, { "execveat", "illli" }, { "exit", "i" },
        { "exit_group", "i" }, { "faccessat", "ili" }, { "faccessat2", "ilii" },
        { "fadvise64", "illi" }, { "fallocate", "iill" }, { "fanotify_init", "ii" },
        { "fanotify_mark", "iilil" }, { "fchdir", "i" }, { "fchmod", "ih" }, { "fchmodat", "ilh" },
        { "fchmodat2", "ilhi" }, { "fchown", "iii" }, { "fchownat", "iliii" }, { "fcntl", "iil" },
        { "fdatasync", "i" }, { "fgetxattr", "illl" }, { "file_getattr", "illli" },
        { "file_setattr", "illli" }, { "finit_module", "ili" }, { "flistxattr", "ill" },
        { "flock", "ii" }, { "fremovexattr", "il" }, { "fsconfig", "iilli" },
        { "fsetxattr", "illli" }, { "fsmount", "iii" }, { "fsopen", "li" }, { "fspick", "ili" },
        { "fstat", "il" }, { "fstatfs", "il" }, { "fsync", "i" }, { "ftruncate", "il" },
        { "futex", "liilli" }, { "futex_requeue", "liii" }, { "futex_wait", "lllili" },
        { "futex_waitv", "liili" }, { "futex_wake", "llii" }, { "futimesat", "ill" },
        { "get_mempolicy", "lllll" }, { "get_robust_list", "ill" }, { "getcpu", "lll" },
        { "getdents", "ili" }, { "getdents64", "ili" }, { "getgroups", "il" },
        { "getitimer", "il" }, { "getpeername", "ill" }, { "getpgid", "i" },
        { "getpriority", "ii" }, { "getrandom", "lli" }, { "getrlimit", "il" },
        { "getrusage", "il" }, { "getsid", "i" }, { "getsockname", "ill" },
        { "getsockopt", "iiill" }, { "getxattrat", "ililll" }, { "init_module", "lll" },
        { "inotify_add_watch", "ili" }, { "inotify_init1", "i" }, { "inotify_rm_watch", "ii" },
        { "io_uring_enter", "iiiill" }, { "io_uring_register", "iili" }, { "io_uring_setup", "il" },
        { "ioctl", "iil" }, { "ioperm", "lli" }, { "iopl", "i" }, { "ioprio_get", "ii" },
        { "ioprio_set", "iii" }, { "kcmp", "iiill" }, { "kexec_file_load", "iilll" },
        { "keyctl", "illll" }, { "kill", "ii" }, { "landlock_add_rule", "iili" },
        { "landlock_create_ruleset", "lli" }, { "landlock_restrict_self", "ii" },
        { "lchown", "lii" }, { "linkat", "ilili" }, { "listen", "ii" }, { "listmount", "llli" },
        { "listxattrat", "ilill" }, { "lookup_dcookie", "lll" }, { "lseek", "ili" },
        { "lsetxattr", "lllli" }, { "lsm_get_self_attr", "illi" }, { "lsm_list_modules", "lli" },
        { "lsm_set_self_attr", "ilii" }, { "madvise", "lli" }, { "map_shadow_stack", "lli" },
        { "mbind", "llllli" }, { "membarrier", "iii" }, { "memfd_create", "li" },
        { "memfd_secret", "i" }, { "migrate_pages", "illl" }, { "mincore", "lll" },
        { "mkdir", "lh" }, { "mkdirat", "ilh" }, { "mknod", "lhi" }, { "mknodat", "ilhi" },
        { "mlock", "ll" }, { "mlock2", "lli" }, { "mlockall", "i" }, { "mmap", "llllll" },
        { "modify_ldt", "ill" }, { "mount", "lllll" }, { "mount_setattr", "ilill" },
        { "move_mount", "ilili" }, { "move_pages", "illlli" }, { "mprotect", "lll" },
        { "mq_getsetattr", "ill" }, { "mq_notify", "il" }, { "mq_open", "lihl" },
        { "mq_timedreceive", "illll" }, { "mq_timedsend", "illil" }, { "mremap", "lllll" },
        { "mseal", "lll" }, { "msgctl", "iil" }, { "msgget", "ii" }, { "msgrcv", "illli" },
        { "msgsnd", "illi" }, { "msync", "lli" }, { "munlock", "ll" }, { "munmap", "ll" },
        { "name_to_handle_at", "illli" }, { "nanosleep", "ll" }, { "newfstatat", "illi" },
        { "open", "lih" }, { "open_by_handle_at", "ili" }, { "open_tree", "ili" },
        { "open_tree_attr", "ilill" }, { "openat", "ilih" }, { "openat2", "illl" },
        { "perf_event_open", "liiil" }, { "personality", "i" }, { "pidfd_getfd", "iii" },
        { "pidfd_open", "ii" }, { "pidfd_send_signal", "iili" }, { "pipe2", "li" },
        { "pkey_alloc", "ll" }, { "pkey_free", "i" }, { "pkey_mprotect", "llli" },
        { "poll", "lii" }, { "ppoll", "lilll" }, { "prctl", "illll" }, { "pread64", "illl" },
        { "preadv", "illll" }, { "preadv2", "illlli" }, { "prlimit64", "iill" },
        { "process_madvise", "illii" }, { "process_mrelease", "ii" },
        { "process_vm_readv", "illlll" }, { "process_vm_writev", "illlll" },
        { "pselect6", "illlll" }, { "ptrace", "llll" }, { "pwrite64", "illl" },
        { "pwritev", "illll" }, { "pwritev2", "illlli" }, { "quotactl", "ilil" },
        { "quotactl_fd", "iiil" }, { "read", "ill" }, { "readahead", "ill" }, { "readlink", "lli" },
        { "readlinkat", "illi" }, { "readv", "ill" }, { "reboot", "iiil" },
        { "recvfrom", "illill" }, { "recvmmsg", "iliil" }, { "recvmsg", "ili" },
        { "removexattrat", "ilil" }, { "renameat", "ilil" }, { "renameat2", "ilili" },
        { "request_key", "llli" }, { "rseq", "liii" }, { "rt_sigaction", "illl" },
        { "rt_sigprocmask", "illl" }, { "rt_sigqueueinfo", "iil" }, { "rt_sigtimedwait", "llll" },
        { "rt_tgsigqueueinfo", "iiil" }, { "sched_get_priority_max", "i" },
        { "sched_get_priority_min", "i" }, { "sched_getaffinity", "iil" },
        { "sched_getattr", "ilii" }, { "sched_getparam", "il" }, { "sched_getscheduler", "i" },
        { "sched_rr_get_interval", "il" }, { "sched_setaffinity", "iil" },
        { "sched_setattr", "ili" }, { "sched_setparam", "il" }, { "sched_setscheduler", "iil" },
        { "seccomp", "iil" }, { "select", "illll" }, { "semctl", "iiil" }, { "semget", "iii" },
        { "semop", "ili" }, { "semtimedop", "ilil" }, { "sendfile", "iill" },
        { "sendmmsg", "ilii" }, { "sendmsg", "ili" }, { "sendto", "illili" },
        { "set_mempolicy", "ill" }, { "set_mempolicy_home_node", "llll" },
        { "set_robust_list", "ll" }, { "setdomainname", "li" }, { "setfsgid", "i" },
        { "setfsuid", "i" }, { "setgid", "i" }, { "setgroups", "il" }, { "sethostname", "li" },
        { "setitimer", "ill" }, { "setns", "ii" }, { "setpgid", "ii" }, { "setpriority", "iii" },
        { "setregid", "ii" }, { "setresgid", "iii" }, { "setresuid", "iii" }, { "setreuid", "ii" },
        { "setrlimit", "il" }, { "setsockopt", "iiili" }, { "setuid", "i" },
        { "setxattr", "lllli" }, { "setxattrat", "ililll" }, { "shmat", "ili" },
        { "shmctl", "iil" }, { "shmget", "ili" }, { "shutdown", "ii" }, { "signalfd", "ill" },
        { "signalfd4", "illi" }, { "socket", "iii" }, { "socketpair", "iiil" },
        { "splice", "ililli" }, { "statfs", "ll" }, { "statmount", "llli" }, { "statx", "iliil" },
        { "swapoff", "l" }, { "swapon", "li" }, { "symlinkat", "lil" },
        { "sync_file_range", "illi" }, { "syncfs", "i" }, { "sysfs", "ill" }, { "syslog", "ili" },
        { "tee", "iili" }, { "tgkill", "iii" }, { "timer_create", "ill" }, { "timer_delete", "i" },
        { "timer_getoverrun", "i" }, { "timer_gettime", "il" }, { "timer_settime", "iill" },
        { "timerfd_create", "ii" }, { "timerfd_gettime", "il" }, { "timerfd_settime", "iill" },
        { "tkill", "ii" }, { "truncate", "ll" }, { "umask", "i" }, { "umount", "li" },
        { "umount2", "li" }, { "unlinkat", "ili" }, { "unshare", "l" }, { "userfaultfd", "i" },
        { "ustat", "il" }, { "utimensat", "illi" }, { "vmsplice", "illi" }, { "wait4", "ilil" },
        { "waitid", "iilil" }, { "write", "ill" }, { "writev", "ill" },
};
/* clang-format on */

static const Widths *find(const char *name) {
        for (size_t i = 0; i < ELEMENTS(table); i++)
                if (strcmp(table[i].name, name) == 0)
                        return &table[i];
        return NULL;
}

unsigned seccomp_width(const char *name, uint32_t index) {
        const Widths *row = find(name);

        if (!row || index >= strlen(row->letters))
                return 64;
        return row->letters[index] == 'i' ? 32 : row->letters[index] == 'h' ? 16 : 64;
}

bool seccomp_width_known(const char *name) {
        return find(name) != NULL;
}

/*
 * make-filters: write one of the constant seccomp filters as a C array. Runs at build time, on the
 * architecture that the build is for, so that no process with privilege links libseccomp. With "aarch64"
 * it writes that architecture's, which a test reads.
 *
 *   make-filters floor|shared|front|egress|agent|notary [aarch64] > filter-NAME.h
 *
 * The floor is what no command in a jail may ever do, whatever policy its front chose: a list of
 * refusals over "allow". Above it a jail always has its policy's filter, an allow-list; between them, where
 * commands change a caller's own directory, stands "shared". The other four are allow-lists for our own
 * processes; what is not in one answers ENOSYS, which every library takes as "an older kernel" and works
 * round. warder-agent's jail has a profile that allows this and what comes before it (policies/seccomp/agent.json);
 * warder-files needs no filter of its own: its jail's profile is that (files.json).
 *
 * What the kernel cuts to 32 bits is compared in 32 bits (sandbox/seccomp-widths.h): a high bit slips past no
 * refusal.
 *
 * A new kernel brings new calls. The floor refuses by number what is newer than FLOOR_LAST_CALL: raise
 * it only after reading what the calls do.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/seccomp.h"

#ifndef TCP_AO_ADD_KEY
#define TCP_AO_ADD_KEY 38 /* Linux 6.7 */
#endif

#define FLOOR_LAST_CALL 469 /* file_setattr, Linux 6.17 */
#define USAGE           "usage: make-filters floor|shared|front|egress|agent|notary [aarch64]"
#define END             UINT64_MAX
#define LEVEL_IP_END    256 /* a socket option's level below it is an IP protocol or SOL_SOCKET */
#define FILTER_MAX      (4096 * sizeof(struct sock_filter)) /* BPF_MAXINSNS */
#define RULES_MAX       64
/* A file system's own identity and its places on a disk: <linux/fs.h> of Linux 6.18, and fs/ext4/ext4.h */
#define GET_FS_ID        0x80111500u /* FS_IOC_GETFSUUID */
#define GET_FS_PATH      0x80811501u /* FS_IOC_GETFSSYSFSPATH */
#define GET_FS_MAP       0xc0c0583bu /* FS_IOC_GETFSMAP */
#define GET_EXTENTS      0xc020660bu /* FS_IOC_FIEMAP */
#define EXT4_GET_FS_ID   0x8008662cu /* EXT4_IOC_GETFSUUID */
#define EXT4_GET_EXTENTS 0xc020662au /* EXT4_IOC_GET_ES_CACHE: the same from what is cached */
#define NEW_TIME         0x80u /* CLONE_NEWTIME, for unshare only: in clone these bits are a signal */

/* clang-format off */
/* What every one of our processes needs to run at all: memory, time, descriptors, an event loop. */
static const char *const runtime_calls[] = {
        "brk", "mmap", "munmap", "mprotect", "mremap", "madvise", "futex", "rseq", "set_robust_list",
        "membarrier", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall",
        "exit", "exit_group", "tgkill", "gettid", "getpid", "getppid", "getuid", "geteuid", "getgid",
        "getegid", "getgroups", "uname", "sysinfo", "getrusage", "sched_getaffinity", "sched_yield",
        "prctl", "prlimit64", "getrlimit", "getrandom", "clock_gettime", "clock_getres",
        "clock_nanosleep", "nanosleep", "gettimeofday", "time",
        "read", "readv", "pread64", "write", "writev", "pwrite64", "lseek", "close", "close_range",
        "dup", "dup2", "dup3", "fcntl", "fstat", "newfstatat", "statx", "fstatfs", "pipe2", "poll",
        "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
        "timerfd_create", "timerfd_settime", "signalfd4", "eventfd2", "memfd_create", "ftruncate", NULL,
};

/* Messages over sockets that are already there. */
static const char *const message_calls[] = {
        "recvmsg", "sendmsg", "recvfrom", "sendto", "accept4", "getsockopt", "setsockopt",
        "getsockname", "getpeername", "shutdown", NULL,
};

/* Files beneath the directories that a process was given; file modes and ids still decide. */
static const char *const file_calls[] = {
        "openat", "openat2", "open", "stat", "lstat", "access", "faccessat", "faccessat2", "readlink",
        "readlinkat", "getcwd", "getdents64", "mkdirat", "mkdir", "unlinkat", "unlink", "rmdir",
        "renameat", "renameat2", "rename", "linkat", "fsync", "fdatasync", "fallocate", "flock",
        "fchmod", "fchmodat", "utimensat", "umask", "statfs", "fadvise64", "copy_file_range",
        "sendfile", NULL,
};

static const char *const front_calls[] = {
        "pidfd_open", "pidfd_send_signal", "waitid",
        "inotify_init1", "inotify_add_watch", "inotify_rm_watch", /* changes of policies */
        NULL,
};

static const char *const egress_calls[] = {
        "connect", "bind", "sendmmsg", "recvmmsg", "ioctl", NULL,
};

/* All that it may: no file is opened, none is cut, nobody is signalled (supervisor/front/gate/notary.c). */
static const char *const notary_calls[] = {
        "recvfrom", "recvmsg", "sendto", "sendmsg", "write", "fdatasync", "brk", "mmap", "munmap", "mremap",
        "madvise", "futex", "getpid", "getrandom", "clock_gettime", "rt_sigreturn", "restart_syscall",
        "exit", "exit_group", NULL,
};

static const char *const agent_calls[] = {
        "connect", "bind", "ioctl", NULL,
};

/* clang-format on */

typedef struct Rules {
        SeccompRule items[RULES_MAX];
        unsigned n;
} Rules;

static unsigned count(const char *const *names) {
        unsigned n = 0;

        while (names[n])
                n++;
        return n;
}

static SeccompRule *add(Rules *rules, uint32_t action, uint32_t errno_ret,
                        const char *const *names) {
        SeccompRule *rule = &rules->items[rules->n++];

        *rule = (SeccompRule){ names, count(names), action, errno_ret, 0, { { 0 } } };
        return rule;
}

/* One more condition: argument @index is @value, or whatever @op says. */
static void when(SeccompRule *rule, uint32_t index, SeccompOp op, uint64_t value) {
        rule->args[rule->n_args++] = (SeccompArg){ index, op, value, 0 };
}

/* One more condition: the bits of @mask in argument @index are @value. */
static void when_bits(SeccompRule *rule, uint32_t index, uint64_t mask, uint64_t value) {
        rule->args[rule->n_args++] = (SeccompArg){ index, SECCOMP_OP_MASKED_EQ, mask, value };
}

/* Refuse @names where any of @bits is set in the first argument. */
static void refuse_bits(Rules *rules, const char *const *names, uint32_t bits) {
        for (uint64_t bit = 1; bit <= UINT32_MAX; bit <<= 1)
                if (bits & bit)
                        when_bits(add(rules, SECCOMP_DO_ERRNO, EPERM, names), 0, bit, bit);
}

/* Refuse @name with an errno where argument @index is none of @values (a list of at most six). */
static void refuse_others(Rules *rules, const char *const *names, uint32_t errno_ret,
                          uint32_t index, const uint64_t *values) {
        SeccompRule *rule = add(rules, SECCOMP_DO_ERRNO, errno_ret, names);

        for (unsigned i = 0; values[i] != END; i++)
                when(rule, index, SECCOMP_OP_NE, values[i]);
}

static const uint32_t new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                       CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

/*
 * What new numbers of Linux 5.x and 6.x are, judged one by one. "profile" means: the floor leaves it to the
 * policy's profile, an allow-list; what no shipped profile names answers ENOSYS there.
 *
 *   424-427  pidfd_send_signal   profile: signals stay in the jail's pid namespace
 *            io_uring_*          refused: another way to make calls, which no filter sees
 *   428-433  open_tree … fspick  refused: the new mount family
 *   434-441  pidfd_open, clone3, close_range, openat2, faccessat2, epoll_pwait2   profile; clone3 ENOSYS
 *            pidfd_getfd, process_madvise   refused: they reach into other processes
 *   442-443  mount_setattr, quotactl_fd     refused
 *   444-446  landlock_*          profile: they only take rights away
 *   447      memfd_secret        refused: memory that the host cannot reclaim or see
 *   448-452  process_mrelease, futex_waitv, set_mempolicy_home_node, cachestat, fchmodat2   profile
 *   453      map_shadow_stack    profile: the process's own memory
 *   454-456  futex_wake, futex_wait, futex_requeue   profile; none of them takes a PI lock
 *   457-458  statmount, listmount   refused: they name mounts by id, other namespaces' too for the mighty
 *   459-461  lsm_get_self_attr, lsm_list_modules   profile: names of modules; lsm_set_self_attr   refused
 *   462-466  mseal, *xattrat     profile
 *   467      open_tree_attr      refused: open_tree
 *   468-469  file_getattr, file_setattr   profile: flags of files; what matters needs a capability
 *   470-     listns, rseq_slice_yield, and what comes   ENOSYS until it has been read
 *
 * Newer interfaces answer ENOSYS, so that programs fall back; what has no older form answers EPERM.
 */
/* clang-format off */
static const char *const refused_calls[] = {
        /* namespaces and mounts */
        "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount",
        "fspick", "open_tree", "open_tree_attr", "move_mount", "mount_setattr",
        /* the kernel's own machinery */
        "bpf", "perf_event_open", "keyctl", "add_key", "request_key", "init_module", "finit_module",
        "delete_module", "create_module", "query_module", "get_kernel_syms", "kexec_load",
        "kexec_file_load", "fanotify_init", "fanotify_mark", "lsm_set_self_attr",
        /* other processes' memory and descriptors; ptrace is the profile's to give (debug) */
        "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
        /* files without a path */
        "open_by_handle_at", "name_to_handle_at", "lookup_dcookie",
        /* the host: disks, time, names, log, ports, power */
        "quotactl", "quotactl_fd", "swapon", "swapoff", "reboot", "acct", "syslog", "settimeofday",
        "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64", "adjtimex", "stime",
        "iopl", "ioperm", "vhangup", "sethostname", "setdomainname", "nfsservctl", "uselib",
        "_sysctl", NULL,
};
/* modify_ldt makes 16-bit and 32-bit segments, an ABI that is not ours */
static const char *const absent_calls[] = {
        "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "statmount", "listmount",
        "memfd_secret", "modify_ldt", NULL,
};
/*
 * They hand on parts of larger pieces of memory, from TCP to pipes and Unix sockets, where nothing tells who holds
 * them, and nobody is charged for more than the part (sandbox/init/uncounted.c, which finds them on TCP and UDP).
 * EINVAL is what they answer for files that cannot do it: who uses them reads and writes then (Go, Rust, coreutils).
 */
static const char *const handing_calls[] = { "splice", "tee", NULL };
/* clang-format on */

/* A call and one argument with which it is refused; a second condition where @second_is_set. */
static const struct {
        const char *name;
        uint32_t errno_ret;
        uint32_t index;
        SeccompOp op;
        uint64_t value;
        bool second_is_set; /* of the next argument, always an equality */
        uint64_t second;
} refused_arguments[] = {
        /* input faked into a terminal is read by whoever has it after us */
        { "ioctl", EPERM, 1, SECCOMP_OP_EQ, TIOCSTI, false, 0 },
        { "ioctl", EPERM, 1, SECCOMP_OP_EQ, TIOCLINUX, false, 0 },
        { "ioctl", EPERM, 1, SECCOMP_OP_EQ, TIOCCONS, false, 0 },
        /* a line discipline loads a module and parses what a terminal carries */
        { "ioctl", EPERM, 1, SECCOMP_OP_EQ, TIOCSETD, false, 0 },
        /* the host's disk, by name and by address; the answers are those of a file system without it */
        { "ioctl", ENOTTY, 1, SECCOMP_OP_EQ, GET_FS_ID, false, 0 },
        { "ioctl", ENOTTY, 1, SECCOMP_OP_EQ, GET_FS_PATH, false, 0 },
        { "ioctl", ENOTTY, 1, SECCOMP_OP_EQ, GET_FS_MAP, false, 0 },
        { "ioctl", EOPNOTSUPP, 1, SECCOMP_OP_EQ, GET_EXTENTS, false, 0 },
        { "ioctl", ENOTTY, 1, SECCOMP_OP_EQ, EXT4_GET_FS_ID, false, 0 },
        { "ioctl", ENOTTY, 1, SECCOMP_OP_EQ, EXT4_GET_EXTENTS, false, 0 },
        /* a cookie of core scheduling keeps others off the processor's second thread */
        { "prctl", EPERM, 0, SECCOMP_OP_EQ, PR_SCHED_CORE, false, 0 },
        /* kernel TLS and its kin: protocol parsers that a socket option switches on */
        { "setsockopt", ENOPROTOOPT, 1, SECCOMP_OP_EQ, IPPROTO_TCP, true, TCP_ULP },
        { "setsockopt", ENOPROTOOPT, 1, SECCOMP_OP_EQ, IPPROTO_UDP, true, UDP_ENCAP },
        /* keys of TCP's signatures (BGP's): up to net.core.optmem_max bytes a socket, charged to nobody */
        { "setsockopt", ENOPROTOOPT, 1, SECCOMP_OP_EQ, IPPROTO_TCP, true, TCP_MD5SIG },
        { "setsockopt", ENOPROTOOPT, 1, SECCOMP_OP_EQ, IPPROTO_TCP, true, TCP_MD5SIG_EXT },
        { "setsockopt", ENOPROTOOPT, 1, SECCOMP_OP_EQ, IPPROTO_TCP, true, TCP_AO_ADD_KEY },
        /*
         * A socket's queue of errors is charged to nobody, and as long as its receive buffer may be. Who asks for it
         * (resolvers do) is told that he has it, and sees none; who wants times of what he sent goes without.
         */
        { "setsockopt", 0, 1, SECCOMP_OP_EQ, IPPROTO_IP, true, IP_RECVERR },
        { "setsockopt", 0, 1, SECCOMP_OP_EQ, IPPROTO_IPV6, true, IPV6_RECVERR },
        { "setsockopt", ENOPROTOOPT, 1, SECCOMP_OP_EQ, SOL_SOCKET, true, SO_TIMESTAMPING_OLD },
        { "setsockopt", ENOPROTOOPT, 1, SECCOMP_OP_EQ, SOL_SOCKET, true, SO_TIMESTAMPING_NEW },
        { "setsockopt", ENOPROTOOPT, 1, SECCOMP_OP_EQ, IPPROTO_IP, true, IP_XFRM_POLICY },
        { "setsockopt", ENOPROTOOPT, 1, SECCOMP_OP_EQ, IPPROTO_IPV6, true, IPV6_XFRM_POLICY },
        /* programs on sockets are compiled, out of a budget that the whole host shares */
        { "setsockopt", EPERM, 1, SECCOMP_OP_EQ, SOL_SOCKET, true, SO_ATTACH_FILTER },
        { "setsockopt", EPERM, 1, SECCOMP_OP_EQ, SOL_SOCKET, true, SO_ATTACH_REUSEPORT_CBPF },
        { "setsockopt", EPERM, 1, SECCOMP_OP_EQ, SOL_SOCKET, true, SO_ATTACH_BPF },
        { "setsockopt", EPERM, 1, SECCOMP_OP_EQ, SOL_SOCKET, true, SO_ATTACH_REUSEPORT_EBPF },
        /*
         * Locks are charged to nobody. Those of a process are counted where they get too many (sandbox/init/uncounted.c);
         * those of an open file have no process. EINVAL is the answer of a kernel without them.
         */
        { "fcntl", EINVAL, 1, SECCOMP_OP_EQ, F_OFD_GETLK, false, 0 },
        { "fcntl", EINVAL, 1, SECCOMP_OP_EQ, F_OFD_SETLK, false, 0 },
        { "fcntl", EINVAL, 1, SECCOMP_OP_EQ, F_OFD_SETLKW, false, 0 },
        /* SOL_TLS, SOL_ALG, SOL_MPTCP, SOL_XDP, … stand above the levels that are IP protocols */
        { "setsockopt", ENOPROTOOPT, 1, SECCOMP_OP_GE, LEVEL_IP_END, false, 0 },
};

static void refuse_arguments(Rules *rules) {
        for (unsigned i = 0; i < ELEMENTS(refused_arguments); i++) {
                SeccompRule *rule = add(rules, SECCOMP_DO_ERRNO, refused_arguments[i].errno_ret,
                                        &refused_arguments[i].name);

                rule->n_names = 1;
                when(rule, refused_arguments[i].index, refused_arguments[i].op,
                     refused_arguments[i].value);
                if (refused_arguments[i].second_is_set)
                        when(rule, refused_arguments[i].index + 1, SECCOMP_OP_EQ,
                             refused_arguments[i].second);
        }
}

static void floor_rules(Rules *rules) {
        static const char *const clone_call[] = { "clone", NULL };
        static const char *const unshare_call[] = { "unshare", NULL };
        static const char *const personality_call[] = { "personality", NULL };
        static const char *const sockets[] = { "socket", "socketpair", NULL };
        /* the other families, and protocols that a number loads as a module, are where the bugs are */
        static const uint64_t families[] = { AF_UNIX, AF_INET, AF_INET6, END };
        static const uint64_t protocols[] = { 0,           IPPROTO_ICMP,   IPPROTO_TCP,
                                              IPPROTO_UDP, IPPROTO_ICMPV6, END };
        static const uint64_t personalities[] = { 0, UINT32_MAX /* the query */, END };

        add(rules, SECCOMP_DO_ERRNO, EPERM, refused_calls);
        add(rules, SECCOMP_DO_ERRNO, ENOSYS, absent_calls);
        add(rules, SECCOMP_DO_ERRNO, EINVAL, handing_calls);
        refuse_bits(rules, clone_call, new_namespaces);
        refuse_bits(rules, unshare_call, new_namespaces | NEW_TIME);
        refuse_others(rules, sockets, EAFNOSUPPORT, 0, families);
        refuse_others(rules, sockets, EPROTONOSUPPORT, 2, protocols);
        refuse_others(rules, personality_call, EPERM, 0, personalities);
        refuse_arguments(rules);
}

/*
 * Where commands change a caller's own directory. A set-id file that a command makes there has the caller's
 * id, and the host's mount of that directory is not nosuid: with an accomplice outside who executes it, the
 * command would have left the jail. So no call may set those bits. An open without O_CREAT or O_TMPFILE
 * leaves its mode register as it was and is not looked at. The kernel reads a mode's low 16 bits, so what
 * stands above them cannot hide a bit. mkdir(2) drops them itself.
 */
static void refuse_mode(Rules *rules, const char *const *names, uint32_t mode_arg,
                        const SeccompArg *also) {
        for (uint64_t bit = S_ISGID; bit <= S_ISUID; bit <<= 1) {
                SeccompRule *rule = add(rules, SECCOMP_DO_ERRNO, EPERM, names);

                when_bits(rule, mode_arg, bit, bit);
                if (also)
                        rule->args[rule->n_args++] = *also;
        }
}

static void shared_rules(Rules *rules) {
        static const char *const first[] = { "chmod", "fchmod", "creat", "mknod", NULL };
        static const char *const second[] = { "fchmodat", "fchmodat2", "mknodat", NULL };
        static const char *const open_call[] = { "open", NULL };
        static const char *const openat_call[] = { "openat", NULL };
        static const char *const absent[] = { "openat2", NULL }; /* its mode stands in memory */
        static const uint64_t making[] = { O_CREAT, O_TMPFILE & ~O_DIRECTORY };

        refuse_mode(rules, first, 1, NULL);
        refuse_mode(rules, second, 2, NULL);
        for (unsigned i = 0; i < ELEMENTS(making); i++) {
                const SeccompArg open_flag = { 1, SECCOMP_OP_MASKED_EQ, making[i], making[i] };
                const SeccompArg openat_flag = { 2, SECCOMP_OP_MASKED_EQ, making[i], making[i] };

                refuse_mode(rules, open_call, 2, &open_flag);
                refuse_mode(rules, openat_call, 3, &openat_flag);
        }
        add(rules, SECCOMP_DO_ERRNO, ENOSYS, absent);
}

/* Threads, but no new namespaces: of clone's flags the low half decides. */
static void allow_threads(Rules *rules) {
        static const char *const clone_call[] = { "clone", NULL };

        when_bits(add(rules, SECCOMP_DO_ALLOW, 0, clone_call), 0, new_namespaces, 0);
}

/*
 * A thread as pthread_create(3) makes it and nothing else: no process, no namespace, no other flag. The front's
 * audit has one; the agent's libraries may make one.
 */
static void allow_plain_threads(Rules *rules) {
        static const char *const clone_call[] = { "clone", NULL };

        when(add(rules, SECCOMP_DO_ALLOW, 0, clone_call), 0, SECCOMP_OP_EQ,
             CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID);
}

/* A process that shares our descriptors, and no other flag: what may keep a close(2) waiting is closed in one. */
static void allow_closing_child(Rules *rules) {
        static const char *const clone_call[] = { "clone", NULL };

        when(add(rules, SECCOMP_DO_ALLOW, 0, clone_call), 0, SECCOMP_OP_EQ,
             CLONE_FILES | CLONE_PIDFD | SIGCHLD);
}

static void allow_family(Rules *rules, uint64_t family) {
        static const char *const socket_calls[] = { "socket", "socketpair", NULL };

        when(add(rules, SECCOMP_DO_ALLOW, 0, socket_calls), 0, SECCOMP_OP_EQ, family);
}

static void front_rules(Rules *rules) {
        /* let through and recorded by the kernel's audit: that is what it is for (supervisor/front/commands/audit.c) */
        static const char *const mark_call[] = { "getpgid", NULL };

        add(rules, SECCOMP_DO_LOG, 0, mark_call);
        add(rules, SECCOMP_DO_ALLOW, 0, message_calls);
        add(rules, SECCOMP_DO_ALLOW, 0, file_calls);
        add(rules, SECCOMP_DO_ALLOW, 0, front_calls);
        allow_family(rules, AF_UNIX); /* the journal */
        allow_plain_threads(rules);   /* audit.c */
        allow_closing_child(rules);   /* closer.c */
}

static void egress_rules(Rules *rules) {
        add(rules, SECCOMP_DO_ALLOW, 0, message_calls);
        add(rules, SECCOMP_DO_ALLOW, 0, file_calls);
        add(rules, SECCOMP_DO_ALLOW, 0, egress_calls);
        allow_family(rules, AF_UNIX);
        allow_family(rules, AF_INET);
        allow_family(rules, AF_INET6);
        allow_threads(rules); /* libcurl resolves names in one */
}

static void agent_rules(Rules *rules) {
        add(rules, SECCOMP_DO_ALLOW, 0, message_calls);
        add(rules, SECCOMP_DO_ALLOW, 0, file_calls);
        add(rules, SECCOMP_DO_ALLOW, 0, agent_calls);
        allow_family(rules, AF_UNIX);
        allow_family(rules, AF_INET); /* the listener in its own jail that leads to egress */
        allow_plain_threads(rules);
}

static void notary_rules(Rules *rules) {
        add(rules, SECCOMP_DO_ALLOW, 0, notary_calls);
}

static const struct {
        const char *name;
        uint32_t default_action;
        void (*fill)(Rules *rules);
        bool is_bare; /* without the calls that a process with files and a loop needs */
} filters[] = {
        { "floor", SECCOMP_DO_ALLOW, floor_rules, false },
        { "front", SECCOMP_DO_ERRNO, front_rules, false },
        { "egress", SECCOMP_DO_ERRNO, egress_rules, false },
        { "agent", SECCOMP_DO_ERRNO, agent_rules, false },
        { "shared", SECCOMP_DO_ALLOW, shared_rules, false },
        { "notary", SECCOMP_DO_ERRNO, notary_rules, true },
};

static void print_instructions(const struct sock_filter *code, size_t n) {
        for (size_t i = 0; i < n; i++)
                printf("        { 0x%02x, %u, %u, 0x%08x },\n", code[i].code, code[i].jt,
                       code[i].jf, code[i].k);
}

static int print_filter(const char *name, const char *suffix, int fd, Error *err) {
        autofree char *code = NULL;
        size_t n = 0;
        int r;

        r = fd_read_all(fd, FILTER_MAX, &code, &n);
        if (r < 0)
                return error_set(err, r, "read the compiled filter %s", name);
        printf("/* made by make-filters: the filter of %s */\n#include <linux/filter.h>\n\n"
               "static const struct sock_filter filter_%s%s[] = {\n",
               name, name, suffix);
        print_instructions((const struct sock_filter *) (const void *) code,
                           n / sizeof(struct sock_filter));
        printf("};\n");
        return fflush(stdout) == 0 ? 0 : error_set(err, -errno, "write the filter %s", name);
}

static int make(const char *name, uint32_t arch, Error *err) {
        Rules rules = { .n = 0 };
        SeccompProfile profile = { .default_errno = ENOSYS,
                                   .rules = rules.items,
                                   .arch = arch,
                                   .last_call = FLOOR_LAST_CALL };
        autofree char *unknown = NULL;
        autoclose int fd = -EBADF;
        int r;

        for (unsigned i = 0; i < ELEMENTS(filters); i++) {
                if (strcmp(filters[i].name, name) != 0)
                        continue;
                profile.default_action = filters[i].default_action;
                if (profile.default_action != SECCOMP_DO_ALLOW && !filters[i].is_bare)
                        add(&rules, SECCOMP_DO_ALLOW, 0, runtime_calls);
                filters[i].fill(&rules);
                profile.n_rules = rules.n;
                r = seccomp_compile(&profile, &fd, &unknown, err);
                if (r < 0)
                        return r;
                if (*unknown)
                        fprintf(stderr, "make-filters: %s: %s\n", name, unknown);
                return print_filter(name, arch ? "_aarch64" : "", fd, err);
        }
        return error_say(err, -EINVAL, "no filter is named %s", name);
}

int main(int argc, char **argv) {
        bool foreign = argc == 3 && strcmp(argv[2], "aarch64") == 0;
        Error err = ERROR_EMPTY;

        if ((argc == 2 || foreign) && make(argv[1], foreign ? AUDIT_ARCH_AARCH64 : 0, &err) == 0)
                return 0;
        fprintf(stderr, "make-filters: %s\n", err.code < 0 ? err.text : USAGE);
        return 1;
}

/*
 * make-filters: write one of the constant seccomp filters as a C array. Runs at build time, on the
 * architecture that the build is for, so that no process with privilege links libseccomp.
 *
 *   make-filters floor|shared|front|egress|agent|files > filter-NAME.h
 *
 * The floor is what no command in a jail may ever do, whatever policy its front chose: a list of
 * refusals over "allow". Above it a jail always has its policy's filter, an allow-list; between them, where
 * commands change a caller's own directory, stands "shared". The other four are allow-lists for our own processes; what is not in one answers ENOSYS, which every library takes
 * as "an older kernel" and works round.
 *
 * Two facts of the kernel decide the form of the refusals. It cuts many arguments to 32 bits, so a
 * refusal compares the low 32 bits only (a set high bit must not slip past it), or refuses the whole
 * range above. And libseccomp can test an argument once in a rule, so what needs two tests (personality
 * is neither 0 nor the query) stands in a few hand-made instructions in front.
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
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/seccomp.h"

#define FLOOR_LAST_CALL 469         /* file_setattr, Linux 6.17 */
#define X32_BIT         0x40000000u /* numbers from here on are x32's: the filter behind kills them */
#define LOW             UINT64_C(0xffffffff)
#define FILTER_MAX      (4096 * sizeof(struct sock_filter)) /* BPF_MAXINSNS */
#define RULES_MAX       64
#define NEW_TIME        0x80u /* CLONE_NEWTIME, for unshare only: in clone these bits are a signal */

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
        "seccomp", /* libseccomp asks which actions the kernel has before it compiles a profile */
        NULL,
};

static const char *const egress_calls[] = {
        "connect", "bind", "sendmmsg", "recvmmsg", "ioctl", NULL,
};

static const char *const agent_calls[] = {
        "connect", "bind", "ioctl", NULL,
};

/* warder-files writes trees that archives and patches describe. */
static const char *const files_calls[] = {
        "chdir", "fchdir", "link", "symlink", "symlinkat", "chmod", "chown", "fchown", "lchown",
        "fchownat", "utimes", "futimesat", "truncate", "mknodat", "mknod", "ioctl", "vfork", "splice",
        "getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr", "flistxattr", "setxattr",
        "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr", "sched_setaffinity",
        "syncfs",
        NULL,
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

/* One more condition: the low 32 bits of argument @index, masked, are @value. */
static void when(SeccompRule *rule, uint32_t index, uint64_t mask, uint64_t value) {
        rule->args[rule->n_args++] = (SeccompArg){ index, SECCOMP_OP_MASKED_EQ, mask, value };
}

/* Refuse @names where any of @bits is set in the first argument. */
static void refuse_bits(Rules *rules, const char *const *names, uint32_t bits) {
        for (uint64_t bit = 1; bit <= LOW; bit <<= 1)
                if (bits & bit)
                        when(add(rules, SECCOMP_DO_ERRNO, EPERM, names), 0, bit, bit);
}

/*
 * Families other than UNIX, INET, INET6: the others are where the kernel's bugs are. A family is an int:
 * with a high bit set the 64-bit value is above the highest one and refused with the rest.
 */
static void refuse_families(Rules *rules) {
        static const char *const names[] = { "socket", "socketpair", NULL };
        SeccompRule *rule;

        for (uint64_t family = 0; family < AF_INET6; family++) {
                if (family == AF_UNIX || family == AF_INET)
                        continue;
                when(add(rules, SECCOMP_DO_ERRNO, EAFNOSUPPORT, names), 0, LOW, family);
        }
        rule = add(rules, SECCOMP_DO_ERRNO, EAFNOSUPPORT, names);
        rule->args[rule->n_args++] = (SeccompArg){ 0, SECCOMP_OP_GT, AF_INET6, 0 };
}

static const uint32_t new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                       CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

/* Newer interfaces answer ENOSYS, so that programs fall back; what has no older form answers EPERM. */
static void floor_rules(Rules *rules) {
        /* clang-format off */
        static const char *const refused[] = {
                "setns", "mount", "umount", "umount2", "pivot_root", "fsopen", "fsconfig", "fsmount",
                "fspick", "open_tree", "open_tree_attr", "move_mount", "mount_setattr", "bpf",
                "perf_event_open", "keyctl", "add_key", "request_key", "process_vm_readv",
                "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd", "init_module",
                "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load",
                "open_by_handle_at", "name_to_handle_at", "quotactl", "quotactl_fd", "swapon", "swapoff",
                "reboot", "acct", "syslog", "settimeofday", "clock_settime", "clock_settime64",
                "clock_adjtime", "clock_adjtime64", "adjtimex", "stime", "iopl", "ioperm", "vhangup",
                "sethostname", "setdomainname", "nfsservctl", "lookup_dcookie", "uselib", "_sysctl",
                "lsm_set_self_attr", "fanotify_init", NULL,
        };
        static const char *const absent[] = {
                "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", NULL,
        };
        /* clang-format on */
        static const char *const clone_call[] = { "clone", NULL };
        static const char *const unshare_call[] = { "unshare", NULL };
        static const char *const ioctl_call[] = { "ioctl", NULL };
        static const char *const setsockopt_call[] = { "setsockopt", NULL };
        SeccompRule *ulp;

        add(rules, SECCOMP_DO_ERRNO, EPERM, refused);
        add(rules, SECCOMP_DO_ERRNO, ENOSYS, absent);
        refuse_bits(rules, clone_call, new_namespaces);
        refuse_bits(rules, unshare_call, new_namespaces | NEW_TIME);
        refuse_families(rules);
        /* input faked into a terminal is read by whoever has it after us */
        when(add(rules, SECCOMP_DO_ERRNO, EPERM, ioctl_call), 1, LOW, TIOCSTI);
        when(add(rules, SECCOMP_DO_ERRNO, EPERM, ioctl_call), 1, LOW, TIOCLINUX);
        /* kernel TLS and its kin: protocol parsers that a socket option switches on */
        ulp = add(rules, SECCOMP_DO_ERRNO, ENOPROTOOPT, setsockopt_call);
        when(ulp, 1, LOW, IPPROTO_TCP);
        when(ulp, 2, LOW, TCP_ULP);
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

                when(rule, mode_arg, bit, bit);
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

/* Threads, but no new namespaces: clone's flags are an unsigned long whose low half decides. */
static void allow_threads(Rules *rules) {
        static const char *const clone_call[] = { "clone", NULL };

        when(add(rules, SECCOMP_DO_ALLOW, 0, clone_call), 0, new_namespaces, 0);
}

static void allow_family(Rules *rules, uint64_t family) {
        static const char *const socket_calls[] = { "socket", "socketpair", NULL };

        when(add(rules, SECCOMP_DO_ALLOW, 0, socket_calls), 0, LOW, family);
}

static void front_rules(Rules *rules) {
        add(rules, SECCOMP_DO_ALLOW, 0, message_calls);
        add(rules, SECCOMP_DO_ALLOW, 0, file_calls);
        add(rules, SECCOMP_DO_ALLOW, 0, front_calls);
        allow_family(rules, AF_UNIX); /* the journal */
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
        allow_threads(rules);
}

static void files_rules(Rules *rules) {
        add(rules, SECCOMP_DO_ALLOW, 0, file_calls);
        add(rules, SECCOMP_DO_ALLOW, 0, files_calls);
        allow_threads(rules);
}

static const struct {
        const char *name;
        uint32_t default_action;
        void (*fill)(Rules *rules);
} filters[] = {
        { "floor", SECCOMP_DO_ALLOW, floor_rules },   { "front", SECCOMP_DO_ERRNO, front_rules },
        { "egress", SECCOMP_DO_ERRNO, egress_rules }, { "agent", SECCOMP_DO_ERRNO, agent_rules },
        { "files", SECCOMP_DO_ERRNO, files_rules },   { "shared", SECCOMP_DO_ALLOW, shared_rules },
};

/*
 * In front of the floor: personality with anything but 0 and the query, and calls that are newer than
 * this list. Everything else falls through to the filter behind, the architecture's check first.
 */
static const struct sock_filter floor_head[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 7, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, FLOOR_LAST_CALL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_personality, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) +
                                                   4 * (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffff, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
};

static void print_instructions(const struct sock_filter *code, size_t n) {
        for (size_t i = 0; i < n; i++)
                printf("        { 0x%02x, %u, %u, 0x%08x },\n", code[i].code, code[i].jt,
                       code[i].jf, code[i].k);
}

static int print_filter(const char *name, int fd, Error *err) {
        autofree char *code = NULL;
        size_t n = 0;
        int r;

        r = fd_read_all(fd, FILTER_MAX, &code, &n);
        if (r < 0)
                return error_set(err, r, "read the compiled filter %s", name);
        printf("/* made by make-filters: the filter of %s */\n#include <linux/filter.h>\n\n"
               "static const struct sock_filter filter_%s[] = {\n",
               name, name);
        if (strcmp(name, "floor") == 0)
                print_instructions(floor_head, ELEMENTS(floor_head));
        print_instructions((const struct sock_filter *) (const void *) code,
                           n / sizeof(struct sock_filter));
        printf("};\n");
        return fflush(stdout) == 0 ? 0 : error_set(err, -errno, "write the filter %s", name);
}

static int make(const char *name, Error *err) {
        Rules rules = { .n = 0 };
        SeccompProfile profile = { .default_errno = ENOSYS, .rules = rules.items };
        autofree char *unknown = NULL;
        autoclose int fd = -EBADF;
        int r;

        for (unsigned i = 0; i < ELEMENTS(filters); i++) {
                if (strcmp(filters[i].name, name) != 0)
                        continue;
                profile.default_action = filters[i].default_action;
                if (profile.default_action != SECCOMP_DO_ALLOW)
                        add(&rules, SECCOMP_DO_ALLOW, 0, runtime_calls);
                filters[i].fill(&rules);
                profile.n_rules = rules.n;
                r = seccomp_compile(&profile, &fd, &unknown, err);
                if (r < 0)
                        return r;
                if (*unknown)
                        fprintf(stderr, "make-filters: %s: unknown calls %s\n", name, unknown);
                return print_filter(name, fd, err);
        }
        return error_say(err, -EINVAL, "no filter is named %s", name);
}

int main(int argc, char **argv) {
        Error err = ERROR_EMPTY;

        if (argc == 2 && make(argv[1], &err) == 0)
                return 0;
        fprintf(stderr, "make-filters: %s\n",
                argc == 2 ? err.text : "usage: make-filters floor|shared|front|egress|agent|files");
        return 1;
}

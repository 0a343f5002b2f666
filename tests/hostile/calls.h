#pragma once
/*
 * calls: what the floor filter refuses, and what it leaves alone, as calls that do no harm where they are
 * let through: their arguments are wrong, so that outside they answer EFAULT, EBADF or EINVAL.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH   (UINT64_C(7) << 32) /* bits that the kernel cuts off an int */
#define ULP    31
#define STI    0x5412
#define LINUX_ 0x541c
#define CONS   0x541d
#define SETD   0x5423
#define NOT_FD UINT64_MAX
#define NO_TYPE \
        15 /* above the highest type of a socket: the kernel looks at it before the family's module */
#define X32 0x40000000

typedef struct CallRow {
        const char *name;
        long number;
        uint64_t args[5];
        int refusal; /* errno with the floor, or minus a signal; 0: the answer is the same as without */
        int policy; /* where the floor leaves it alone: errno with the default policy's filter above it */
} CallRow;

static const CallRow call_rows[] = {
        { "clone of a user namespace", SYS_clone, { CLONE_NEWUSER | SIGCHLD }, EPERM, 0 },
        { "clone of a mount namespace, high bits",
          SYS_clone,
          { CLONE_NEWNS | SIGCHLD | HIGH },
          EPERM,
          0 },
        { "clone3", SYS_clone3, { 0, 0 }, ENOSYS, 0 },
        { "unshare of a user namespace", SYS_unshare, { CLONE_NEWUSER }, EPERM, 0 },
        { "unshare of a network", SYS_unshare, { CLONE_NEWNET }, EPERM, 0 },
        { "unshare of files", SYS_unshare, { CLONE_FILES }, 0, EINVAL },
        { "setns", SYS_setns, { UINT64_MAX, 0 }, EPERM, 0 },
        { "mount", SYS_mount, { 0, 1, 0, 0, 0 }, EPERM, 0 },
        { "umount2", SYS_umount2, { 1, 0 }, EPERM, 0 },
        { "pivot_root", SYS_pivot_root, { 1, 1 }, EPERM, 0 },
        { "fsopen", SYS_fsopen, { 1, 0 }, EPERM, 0 },
        { "fsmount", SYS_fsmount, { UINT64_MAX, 0, 0 }, EPERM, 0 },
        { "open_tree", SYS_open_tree, { UINT64_MAX, 1, 0 }, EPERM, 0 },
        { "open_tree_attr", 467, { UINT64_MAX, 1, 0, 0, 0 }, EPERM, 0 },
        { "move_mount", SYS_move_mount, { UINT64_MAX, 1, UINT64_MAX, 1, 0 }, EPERM, 0 },
        { "mount_setattr", SYS_mount_setattr, { UINT64_MAX, 1, 0, 0, 0 }, EPERM, 0 },
        { "bpf", SYS_bpf, { UINT64_MAX, 0, 0 }, EPERM, 0 },
        { "perf_event_open", SYS_perf_event_open, { 1, 0, UINT64_MAX, UINT64_MAX, 0 }, EPERM, 0 },
        { "userfaultfd", SYS_userfaultfd, { 0xffff }, ENOSYS, 0 },
        { "splice", SYS_splice, { UINT64_MAX, 0, UINT64_MAX, 0, 1 }, EINVAL, 0 },
        { "tee", SYS_tee, { UINT64_MAX, UINT64_MAX, 1 }, EINVAL, 0 },
        { "io_uring_setup", 425, { 0, 0 }, ENOSYS, 0 },
        { "io_uring_enter", 426, { UINT64_MAX, 0, 0, 0, 0 }, ENOSYS, 0 },
        { "keyctl", SYS_keyctl, { 9999, 0 }, EPERM, 0 },
        { "add_key", SYS_add_key, { 1, 0, 0, 0, 0 }, EPERM, 0 },
        { "request_key", SYS_request_key, { 1, 0, 0, 0 }, EPERM, 0 },
        { "process_vm_readv", SYS_process_vm_readv, { 0, 0, 0, 0, 0 }, EPERM, 0 },
        { "kcmp", SYS_kcmp, { 0, 0, 0, 0, 0 }, EPERM, 0 },
        { "pidfd_getfd", SYS_pidfd_getfd, { UINT64_MAX, 0, 0 }, EPERM, 0 },
        { "finit_module", SYS_finit_module, { UINT64_MAX, 0, 0 }, EPERM, 0 },
        { "open_by_handle_at", SYS_open_by_handle_at, { UINT64_MAX, 1, 0 }, EPERM, 0 },
        { "name_to_handle_at", SYS_name_to_handle_at, { UINT64_MAX, 1, 0, 0, 0 }, EPERM, 0 },
        { "quotactl", SYS_quotactl, { UINT64_MAX, 1, 0, 0 }, EPERM, 0 },
        { "swapon", SYS_swapon, { 1, 0 }, EPERM, 0 },
        { "reboot", SYS_reboot, { 0, 0, 0, 0 }, EPERM, 0 },
        { "acct", SYS_acct, { 1 }, EPERM, 0 },
        { "syslog", SYS_syslog, { 99, 0, 0 }, EPERM, 0 },
        { "settimeofday", SYS_settimeofday, { 1, 1 }, EPERM, 0 },
        { "clock_settime", SYS_clock_settime, { 99, 0 }, EPERM, 0 },
        { "personality without random addresses", SYS_personality, { 0x40000 }, EPERM, 0 },
        { "the same, high bits", SYS_personality, { 0x40000 | HIGH }, EPERM, 0 },
        { "personality, the query", SYS_personality, { 0xffffffff }, 0, 0 },
        { "input faked into a terminal", SYS_ioctl, { 0, STI, 0 }, EPERM, 0 },
        { "the same, high bits", SYS_ioctl, { 0, STI | HIGH, 0 }, EPERM, 0 },
        { "the console's selection", SYS_ioctl, { 0, LINUX_, 0 }, EPERM, 0 },
        { "another ioctl", SYS_ioctl, { 0, FIONREAD, 0 }, 0, 0 },
        { "netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, 0 }, EAFNOSUPPORT, 0 },
        { "netlink, high bits", SYS_socket, { AF_NETLINK | HIGH, SOCK_RAW, 0 }, EAFNOSUPPORT, 0 },
        { "the kernel's ciphers", SYS_socket, { AF_ALG, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "raw packets", SYS_socket, { AF_PACKET, SOCK_RAW, 0 }, EAFNOSUPPORT, 0 },
        { "virtual machines", SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 }, EAFNOSUPPORT, 0 },
        { "a Unix socket", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, 0, 0 },
        { "an INET socket", SYS_socket, { AF_INET, SOCK_STREAM, 0 }, 0, 0 },
        { "an INET6 socket", SYS_socket, { AF_INET6, SOCK_STREAM, 0 }, 0, 0 },
        { "TLS in the kernel",
          SYS_setsockopt,
          { UINT64_MAX, IPPROTO_TCP, ULP, 0, 0 },
          ENOPROTOOPT,
          0 },
        { "the same, high bits",
          SYS_setsockopt,
          { UINT64_MAX, IPPROTO_TCP | HIGH, ULP | HIGH },
          ENOPROTOOPT,
          0 },
        { "a key for TCP's signatures",
          SYS_setsockopt,
          { UINT64_MAX, IPPROTO_TCP, TCP_MD5SIG },
          ENOPROTOOPT,
          0 },
        { "another socket option", SYS_setsockopt, { UINT64_MAX, IPPROTO_TCP, TCP_NODELAY }, 0, 0 },
        { "what a parked child needs: close_range", SYS_close_range, { 900, 901, 0 }, 0, 0 },
        { "what a parked child needs: setresuid",
          SYS_setresuid,
          { UINT32_MAX, UINT32_MAX, UINT32_MAX },
          0,
          0 },
        { "what a parked child needs: capset", SYS_capset, { 0, 0 }, 0, 0 },
        { "what a parked child needs: seccomp", SYS_seccomp, { 99, 0, 0 }, 0, ENOSYS },
        { "what a parked child needs: execveat", SYS_execveat, { UINT64_MAX, 1, 0, 0, 0 }, 0, 0 },
        { "clone of a cgroup namespace", SYS_clone, { CLONE_NEWCGROUP | SIGCHLD }, EPERM, 0 },
        { "clone of a host name's namespace", SYS_clone, { CLONE_NEWUTS | SIGCHLD }, EPERM, 0 },
        { "clone of an IPC namespace", SYS_clone, { CLONE_NEWIPC | SIGCHLD }, EPERM, 0 },
        { "clone of a pid namespace", SYS_clone, { CLONE_NEWPID | SIGCHLD }, EPERM, 0 },
        { "clone of a network", SYS_clone, { CLONE_NEWNET | SIGCHLD }, EPERM, 0 },
        { "clone of a mount namespace", SYS_clone, { CLONE_NEWNS | SIGCHLD }, EPERM, 0 },
        { "unshare of a cgroup namespace", SYS_unshare, { CLONE_NEWCGROUP }, EPERM, 0 },
        { "unshare of a host name's namespace", SYS_unshare, { CLONE_NEWUTS }, EPERM, 0 },
        { "unshare of an IPC namespace", SYS_unshare, { CLONE_NEWIPC }, EPERM, 0 },
        { "unshare of a pid namespace", SYS_unshare, { CLONE_NEWPID }, EPERM, 0 },
        { "unshare of a mount namespace", SYS_unshare, { CLONE_NEWNS }, EPERM, 0 },
        { "unshare of clocks", SYS_unshare, { 0x80 }, EPERM, 0 },
        { "clone with high bits and no namespace", SYS_clone, { SIGCHLD | HIGH }, 0, 0 },
        { "chroot", SYS_chroot, { 1 }, EPERM, 0 },
        { "fsconfig", SYS_fsconfig, { NOT_FD, 99, 0, 0, 0 }, EPERM, 0 },
        { "fspick", SYS_fspick, { NOT_FD, 1, 0 }, EPERM, 0 },
        { "statmount", 457, { 1, 1, 8, 0 }, ENOSYS, 0 },
        { "listmount", 458, { 1, 1, 8, 0 }, ENOSYS, 0 },
        { "setns, high bits", SYS_setns, { NOT_FD, CLONE_NEWNS | HIGH }, EPERM, 0 },
        { "io_uring_register", 427, { NOT_FD, 0, 0, 0 }, ENOSYS, 0 },
        { "memfd_secret", 447, { 0xffff }, ENOSYS, 0 },
        { "process_vm_writev", SYS_process_vm_writev, { 0, 0, 0, 0, 0 }, EPERM, 0 },
        { "process_madvise", 440, { NOT_FD, 0, 0, 0, 0 }, EPERM, 0 },
        { "init_module", SYS_init_module, { 1, 0, 0 }, EPERM, 0 },
        { "delete_module", SYS_delete_module, { 1, 0 }, EPERM, 0 },
        { "kexec_load", SYS_kexec_load, { 0, 99999, 0, 0xffffffff }, EPERM, 0 },
        { "kexec_file_load", SYS_kexec_file_load, { NOT_FD, NOT_FD, 0, 0, 0xffff0000 }, EPERM, 0 },
        { "quotactl_fd", 443, { NOT_FD, 0, 0, 0 }, EPERM, 0 },
        { "swapoff", SYS_swapoff, { 1 }, EPERM, 0 },
        { "adjtimex", SYS_adjtimex, { 1 }, EPERM, 0 },
        { "clock_adjtime", SYS_clock_adjtime, { 0, 1 }, EPERM, 0 },
        { "sethostname", SYS_sethostname, { 1, 1 }, EPERM, 0 },
        { "setdomainname", SYS_setdomainname, { 1, 1 }, EPERM, 0 },
        { "fanotify_init", SYS_fanotify_init, { 0xffffffff, 0 }, EPERM, 0 },
        { "fanotify_mark", SYS_fanotify_mark, { NOT_FD, 0, 0, 0, 0 }, EPERM, 0 },
        { "lsm_set_self_attr", 460, { 9999, 0, 0, 0 }, EPERM, 0 },
        { "personality of 32 bits", SYS_personality, { 8 }, EPERM, 0 },
        { "personality of an older kernel", SYS_personality, { 0x20000 }, EPERM, 0 },
        { "personality with executable data, high bits",
          SYS_personality,
          { 0x400000 | HIGH },
          EPERM,
          0 },
        { "personality, the query, high bits", SYS_personality, { 0xffffffff | HIGH }, 0, 0 },
        { "a line discipline", SYS_ioctl, { NOT_FD, SETD, 0 }, EPERM, 0 },
        { "a line discipline, high bits", SYS_ioctl, { NOT_FD, SETD | HIGH, 0 }, EPERM, 0 },
        { "the console's output", SYS_ioctl, { NOT_FD, CONS, 0 }, EPERM, 0 },
        { "the console's selection, high bits", SYS_ioctl, { NOT_FD, LINUX_ | HIGH, 0 }, EPERM, 0 },
        { "another ioctl, high bits", SYS_ioctl, { 0, FIONREAD | HIGH, 0 }, 0, 0 },
        { "a cookie of core scheduling", SYS_prctl, { 62, 99, 0, 0, 0 }, EPERM, 0 },
        { "the same, high bits", SYS_prctl, { 62 | HIGH, 99, 0, 0, 0 }, EPERM, 0 },
        { "another prctl, high bits", SYS_prctl, { 16 | HIGH, 1, 0, 0, 0 }, 0, 0 },
        { "sockets of no family", SYS_socket, { 0, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of AX.25", SYS_socket, { 3, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of IPX", SYS_socket, { 4, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of AppleTalk", SYS_socket, { 5, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of NET/ROM", SYS_socket, { 6, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of X.25", SYS_socket, { 9, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of Rose", SYS_socket, { 11, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of IPsec keys", SYS_socket, { 15, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of RDS", SYS_socket, { 21, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of LLC", SYS_socket, { 26, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of InfiniBand", SYS_socket, { 27, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of CAN", SYS_socket, { 29, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of TIPC", SYS_socket, { 30, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of Bluetooth", SYS_socket, { 31, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of RxRPC", SYS_socket, { 33, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of Phonet", SYS_socket, { 35, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of IEEE 802.15.4", SYS_socket, { 36, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of CAIF", SYS_socket, { 37, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of NFC", SYS_socket, { 39, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of KCM", SYS_socket, { 41, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of IPC router", SYS_socket, { 42, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of SMC", SYS_socket, { 43, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of XDP", SYS_socket, { 44, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "sockets of MCTP", SYS_socket, { 45, NO_TYPE, 0 }, EAFNOSUPPORT, 0 },
        { "the kernel's ciphers, high bits",
          SYS_socket,
          { AF_ALG | HIGH, NO_TYPE, 0 },
          EAFNOSUPPORT,
          0 },
        { "a pair of netlink", SYS_socketpair, { AF_NETLINK, NO_TYPE, 0, 1 }, EAFNOSUPPORT, 0 },
        { "a Unix socket, high bits", SYS_socket, { AF_UNIX | HIGH, SOCK_STREAM, 0 }, 0, 0 },
        { "SCTP", SYS_socket, { AF_INET, NO_TYPE, 132 }, EPROTONOSUPPORT, 0 },
        { "DCCP", SYS_socket, { AF_INET, NO_TYPE, 33 }, EPROTONOSUPPORT, 0 },
        { "UDP-Lite", SYS_socket, { AF_INET, NO_TYPE, 136 }, EPROTONOSUPPORT, 0 },
        { "MPTCP", SYS_socket, { AF_INET, NO_TYPE, 262 }, EPROTONOSUPPORT, 0 },
        { "L2TP", SYS_socket, { AF_INET, NO_TYPE, 115 }, EPROTONOSUPPORT, 0 },
        { "ESP", SYS_socket, { AF_INET, NO_TYPE, 50 }, EPROTONOSUPPORT, 0 },
        { "SCTP over INET6, high bits",
          SYS_socket,
          { AF_INET6, NO_TYPE, 132 | HIGH },
          EPROTONOSUPPORT,
          0 },
        { "TCP by its number, high bits",
          SYS_socket,
          { AF_INET, SOCK_STREAM, IPPROTO_TCP | HIGH },
          0,
          0 },
        { "ESP in UDP", SYS_setsockopt, { NOT_FD, 17, 100, 0, 0 }, ENOPROTOOPT, 0 },
        { "an IPsec policy", SYS_setsockopt, { NOT_FD, 0, 17, 0, 0 }, ENOPROTOOPT, 0 },
        { "an IPsec policy over INET6", SYS_setsockopt, { NOT_FD, 41, 35, 0, 0 }, ENOPROTOOPT, 0 },
        { "a BPF program on a socket", SYS_setsockopt, { NOT_FD, 1, 50, 0, 0 }, EPERM, 0 },
        { "a BPF program on a group of sockets",
          SYS_setsockopt,
          { NOT_FD, 1, 52, 0, 0 },
          EPERM,
          0 },
        { "a classic program on a socket", SYS_setsockopt, { NOT_FD, 1, 26, 0, 0 }, EPERM, 0 },
        { "the same, high bits", SYS_setsockopt, { NOT_FD, 1 | HIGH, 26 | HIGH, 0, 0 }, EPERM, 0 },
        { "a classic program on a group of sockets",
          SYS_setsockopt,
          { NOT_FD, 1, 51, 0, 0 },
          EPERM,
          0 },
        { "a file system's id", SYS_ioctl, { NOT_FD, 0x80111500, 0 }, ENOTTY, 0 },
        { "a file system's name in /sys", SYS_ioctl, { NOT_FD, 0x80811501, 0 }, ENOTTY, 0 },
        { "a file system's map", SYS_ioctl, { NOT_FD, 0xc0c0583b, 0 }, ENOTTY, 0 },
        { "a file's places on the disk", SYS_ioctl, { NOT_FD, 0xc020660b, 0 }, EOPNOTSUPP, 0 },
        { "the same, high bits", SYS_ioctl, { NOT_FD, 0xc020660b | HIGH, 0 }, EOPNOTSUPP, 0 },
        { "an ext4's id", SYS_ioctl, { NOT_FD, 0x8008662c, 0 }, ENOTTY, 0 },
        { "an ext4's cached extents", SYS_ioctl, { NOT_FD, 0xc020662a, 0 }, ENOTTY, 0 },
        { "options of kernel TLS", SYS_setsockopt, { NOT_FD, 282, 1, 0, 0 }, ENOPROTOOPT, 0 },
        { "options of MPTCP", SYS_setsockopt, { NOT_FD, 284, 1, 0, 0 }, ENOPROTOOPT, 0 },
        { "options of ciphers", SYS_setsockopt, { NOT_FD, 279 | HIGH, 1, 0, 0 }, ENOPROTOOPT, 0 },
        { "options of XDP", SYS_setsockopt, { NOT_FD, 283, 1, 0, 0 }, ENOPROTOOPT, 0 },
#ifdef __x86_64__
        { "modify_ldt", SYS_modify_ldt, { 0, 1, 0 }, ENOSYS, 0 },
        { "iopl", SYS_iopl, { 99 }, EPERM, 0 },
        { "ioperm", SYS_ioperm, { 0xffffffff, 1, 1 }, EPERM, 0 },
        { "a call of x32", X32 | SYS_getpid, { 0 }, -SIGSYS, 0 },
#endif
        { "a seccomp filter", SYS_seccomp, { 1, 0, 1 }, 0, ENOSYS },
        { "a seccomp filter by prctl", SYS_prctl, { 22, 2, 1, 0, 0 }, 0, EINVAL },
        { "the same, high bits", SYS_prctl, { 22 | HIGH, 2, 1, 0, 0 }, 0, EINVAL },
        { "asynchronous requests of the old kind", SYS_io_setup, { 1, 0 }, 0, ENOSYS },
        { "ptrace, to be traced", SYS_ptrace, { 0, 0, 0, 0 }, 0, EPERM },
        { "ptrace of another", SYS_ptrace, { 16, 1, 0, 0 }, 0, EPERM },
        { "move_pages", SYS_move_pages, { 0, 1, 0, 0, 0 }, 0, EPERM },
        { "migrate_pages", SYS_migrate_pages, { 0, 0, 1, 1 }, 0, EPERM },
        { "mbind", SYS_mbind, { 1, 1, 99, 0, 0 }, 0, EPERM },
        { "set_mempolicy", SYS_set_mempolicy, { 99, 0, 0 }, 0, EPERM },
        { "vmsplice", SYS_vmsplice, { NOT_FD, 0, 0, 0 }, 0, EPERM },
        { "remap_file_pages", SYS_remap_file_pages, { 1, 1, 1, 1, 1 }, 0, ENOSYS },
        { "lsm_list_modules", 461, { 1, 1, 99 }, 0, ENOSYS },
};

/* In a child of its own, after @before where that is set. Returns: errno, 0 for success; < 0: its end */
static inline int call_make(const CallRow *row, int (*before)(void)) {
        const uint64_t *a = row->args;
        pid_t pid = fork();
        int status = 0;

        if (pid == 0) {
                if (before && before() < 0)
                        _exit(255);
                errno = 0;
                (void) syscall(row->number, a[0], a[1], a[2], a[3], a[4], 0);
                _exit(errno); /* a clone that was let through ends here too */
        }
        if (waitpid(pid, &status, 0) != pid)
                return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

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

typedef struct CallRow {
        const char *name;
        long number;
        uint64_t args[5];
        int refusal; /* errno with the filter; 0: the answer is the same as without */
} CallRow;

static const CallRow call_rows[] = {
        { "clone of a user namespace", SYS_clone, { CLONE_NEWUSER | SIGCHLD }, EPERM },
        { "clone of a mount namespace, high bits",
          SYS_clone,
          { CLONE_NEWNS | SIGCHLD | HIGH },
          EPERM },
        { "clone3", SYS_clone3, { 0, 0 }, ENOSYS },
        { "unshare of a user namespace", SYS_unshare, { CLONE_NEWUSER }, EPERM },
        { "unshare of a network", SYS_unshare, { CLONE_NEWNET }, EPERM },
        { "unshare of files", SYS_unshare, { CLONE_FILES }, 0 },
        { "setns", SYS_setns, { UINT64_MAX, 0 }, EPERM },
        { "mount", SYS_mount, { 0, 1, 0, 0, 0 }, EPERM },
        { "umount2", SYS_umount2, { 1, 0 }, EPERM },
        { "pivot_root", SYS_pivot_root, { 1, 1 }, EPERM },
        { "fsopen", SYS_fsopen, { 1, 0 }, EPERM },
        { "fsmount", SYS_fsmount, { UINT64_MAX, 0, 0 }, EPERM },
        { "open_tree", SYS_open_tree, { UINT64_MAX, 1, 0 }, EPERM },
        { "open_tree_attr", 467, { UINT64_MAX, 1, 0, 0, 0 }, EPERM },
        { "move_mount", SYS_move_mount, { UINT64_MAX, 1, UINT64_MAX, 1, 0 }, EPERM },
        { "mount_setattr", SYS_mount_setattr, { UINT64_MAX, 1, 0, 0, 0 }, EPERM },
        { "bpf", SYS_bpf, { UINT64_MAX, 0, 0 }, EPERM },
        { "perf_event_open", SYS_perf_event_open, { 1, 0, UINT64_MAX, UINT64_MAX, 0 }, EPERM },
        { "userfaultfd", SYS_userfaultfd, { 0xffff }, ENOSYS },
        { "io_uring_setup", 425, { 0, 0 }, ENOSYS },
        { "io_uring_enter", 426, { UINT64_MAX, 0, 0, 0, 0 }, ENOSYS },
        { "keyctl", SYS_keyctl, { 9999, 0 }, EPERM },
        { "add_key", SYS_add_key, { 1, 0, 0, 0, 0 }, EPERM },
        { "request_key", SYS_request_key, { 1, 0, 0, 0 }, EPERM },
        { "process_vm_readv", SYS_process_vm_readv, { 0, 0, 0, 0, 0 }, EPERM },
        { "kcmp", SYS_kcmp, { 0, 0, 0, 0, 0 }, EPERM },
        { "pidfd_getfd", SYS_pidfd_getfd, { UINT64_MAX, 0, 0 }, EPERM },
        { "finit_module", SYS_finit_module, { UINT64_MAX, 0, 0 }, EPERM },
        { "open_by_handle_at", SYS_open_by_handle_at, { UINT64_MAX, 1, 0 }, EPERM },
        { "name_to_handle_at", SYS_name_to_handle_at, { UINT64_MAX, 1, 0, 0, 0 }, EPERM },
        { "quotactl", SYS_quotactl, { UINT64_MAX, 1, 0, 0 }, EPERM },
        { "swapon", SYS_swapon, { 1, 0 }, EPERM },
        { "reboot", SYS_reboot, { 0, 0, 0, 0 }, EPERM },
        { "acct", SYS_acct, { 1 }, EPERM },
        { "syslog", SYS_syslog, { 99, 0, 0 }, EPERM },
        { "settimeofday", SYS_settimeofday, { 1, 1 }, EPERM },
        { "clock_settime", SYS_clock_settime, { 99, 0 }, EPERM },
        { "personality without random addresses", SYS_personality, { 0x40000 }, EPERM },
        { "the same, high bits", SYS_personality, { 0x40000 | HIGH }, EPERM },
        { "personality, the query", SYS_personality, { 0xffffffff }, 0 },
        { "input faked into a terminal", SYS_ioctl, { 0, STI, 0 }, EPERM },
        { "the same, high bits", SYS_ioctl, { 0, STI | HIGH, 0 }, EPERM },
        { "the console's selection", SYS_ioctl, { 0, LINUX_, 0 }, EPERM },
        { "another ioctl", SYS_ioctl, { 0, FIONREAD, 0 }, 0 },
        { "netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, 0 }, EAFNOSUPPORT },
        { "netlink, high bits", SYS_socket, { AF_NETLINK | HIGH, SOCK_RAW, 0 }, EAFNOSUPPORT },
        { "the kernel's ciphers", SYS_socket, { AF_ALG, SOCK_SEQPACKET, 0 }, EAFNOSUPPORT },
        { "raw packets", SYS_socket, { AF_PACKET, SOCK_RAW, 0 }, EAFNOSUPPORT },
        { "virtual machines", SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 }, EAFNOSUPPORT },
        { "a Unix socket", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, 0 },
        { "an INET socket", SYS_socket, { AF_INET, SOCK_STREAM, 0 }, 0 },
        { "an INET6 socket", SYS_socket, { AF_INET6, SOCK_STREAM, 0 }, 0 },
        { "TLS in the kernel",
          SYS_setsockopt,
          { UINT64_MAX, IPPROTO_TCP, ULP, 0, 0 },
          ENOPROTOOPT },
        { "the same, high bits",
          SYS_setsockopt,
          { UINT64_MAX, IPPROTO_TCP | HIGH, ULP | HIGH },
          ENOPROTOOPT },
        { "another socket option", SYS_setsockopt, { UINT64_MAX, IPPROTO_TCP, TCP_NODELAY }, 0 },
        { "what a parked child needs: close_range", SYS_close_range, { 900, 901, 0 }, 0 },
        { "what a parked child needs: setresuid",
          SYS_setresuid,
          { UINT32_MAX, UINT32_MAX, UINT32_MAX },
          0 },
        { "what a parked child needs: capset", SYS_capset, { 0, 0 }, 0 },
        { "what a parked child needs: seccomp", SYS_seccomp, { 99, 0, 0 }, 0 },
        { "what a parked child needs: execveat", SYS_execveat, { UINT64_MAX, 1, 0, 0, 0 }, 0 },
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

/*
 * calls: see calls.h. Each is made for real, with arguments that the kernel takes from who may; what it makes
 * (a namespace, a descriptor, a keyring) ends with the process. Where a real one would harm, the arguments are
 * such that the kernel refuses them after it has looked at the rights: probe_reach().
 *
 * The odd form of a call is chosen for what the kernel checks before rights: flags that exclude each other,
 * a descriptor that is none, a pointer to nothing.
 */
#include "cli/probe/calls.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define P(POINTER)         ((uint64_t) (uintptr_t) (POINTER))
#define NOWHERE            UINT64_MAX /* no descriptor; as a pointer, none either */
#define HIGH               (UINT64_C(7) << 32)
#define EVERY_BIT          UINT64_C(0xffffffff)
#define PROCESS_KEYRING    ((uint64_t) (int64_t) KEY_SPEC_PROCESS_KEYRING)
#define FAULTSTI           0x5412
#define CONSOLE            0x541c
#define SYS_OPEN_TREE_ATTR 467

/* What the rows point to; nothing here is ever written by the kernel but what it fills in */
static struct clone_args user_clone = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
static struct clone_args mount_clone = { .flags = CLONE_NEWNS, .exit_signal = SIGCHLD };
static struct io_uring_params ring;
static union bpf_attr map_attr = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
};
static struct perf_event_attr clock_attr = { .type = PERF_TYPE_SOFTWARE,
                                             .size = sizeof(struct perf_event_attr),
                                             .config = PERF_COUNT_SW_CPU_CLOCK };
static struct mount_attr no_flags = { .attr_clr = MOUNT_ATTR_RDONLY };
static char one_byte[8];
static struct {
        void *base;
        uint64_t n;
} here = { one_byte, 1 }, there = { (void *) 0x10000, 1 };

#define UNSHARE(NAME, FLAG)                                                              \
        {                                                                                \
                .name = "unshare-" NAME, .tried = "a new " NAME " namespace by unshare", \
                .run = probe_call, .number = SYS_unshare, .wall = WALL_CAPABILITY,       \
                .args = { FLAG },                                                        \
                .odd = {(FLAG) | 1 }                                                     \
        }
/* CLONE_SIGHAND without CLONE_VM is refused first of all */
#define CLONE(NAME, FLAG)                                                            \
        {                                                                            \
                .name = "clone-" NAME, .tried = "a new " NAME " namespace by clone", \
                .run = probe_call, .number = SYS_clone, .wall = WALL_CAPABILITY,     \
                .args = { (FLAG) | SIGCHLD },                                        \
                .odd = {(FLAG) | CLONE_SIGHAND | SIGCHLD }                           \
        }
/* The kernel looks at the flags in the type before it looks for the family */
#define SOCKET(NAME, FAMILY, TYPE, PROTOCOL, TRIED)                                              \
        {                                                                                        \
                .name = "socket-" NAME, .tried = TRIED, .run = probe_call, .number = SYS_socket, \
                .wall = WALL_CAPABILITY, .args = { FAMILY, TYPE, PROTOCOL },                     \
                .odd = { FAMILY,                                                                 \
                         EVERY_BIT }                                                             \
        }
#define REACH(NAME, NUMBER, TRIED, ...) \
        { .name = NAME, .tried = TRIED, .run = probe_reach, .number = NUMBER, __VA_ARGS__ }
#define CALL(NAME, NUMBER, TRIED, ...) \
        { .name = NAME, .tried = TRIED, .run = probe_call, .number = NUMBER, __VA_ARGS__ }

const Probe call_probes[] = {
        UNSHARE("user", CLONE_NEWUSER),
        UNSHARE("mount", CLONE_NEWNS),
        UNSHARE("pid", CLONE_NEWPID),
        UNSHARE("net", CLONE_NEWNET),
        UNSHARE("ipc", CLONE_NEWIPC),
        UNSHARE("uts", CLONE_NEWUTS),
        UNSHARE("cgroup", CLONE_NEWCGROUP),
        UNSHARE("time", CLONE_NEWTIME),
        CLONE("user", CLONE_NEWUSER),
        CLONE("mount", CLONE_NEWNS),
        CLONE("pid", CLONE_NEWPID),
        CLONE("net", CLONE_NEWNET),
        CLONE("ipc", CLONE_NEWIPC),
        CLONE("uts", CLONE_NEWUTS),
        CLONE("cgroup", CLONE_NEWCGROUP),
        CALL("clone-high-bits", SYS_clone, "a user namespace by clone, high bits set",
             .args = { CLONE_NEWUSER | SIGCHLD | HIGH },
             .odd = { CLONE_NEWUSER | CLONE_SIGHAND | SIGCHLD | HIGH }),
        CALL("clone3-user", SYS_clone3, "a new user namespace by clone3",
             .args = { P(&user_clone), sizeof(user_clone) }, .odd = { P(&user_clone), 1 }),
        CALL("clone3-mount", SYS_clone3, "a new mount namespace by clone3",
             .args = { P(&mount_clone), sizeof(mount_clone) }, .odd = { P(&mount_clone), 1 }),
        /* ---- mounts */
        CALL("mount-tmpfs", SYS_mount, "mount a tmpfs", .harm = SCRATCH,
             .args = { P("none"), P("/tmp"), P("tmpfs"), 0, 0 }, .odd = { 0, NOWHERE }),
        CALL("mount-proc", SYS_mount, "mount another /proc, without covers", .harm = SCRATCH,
             .args = { P("proc"), P("/tmp"), P("proc"), 0, 0 }, .odd = { 0, NOWHERE }),
        CALL("mount-cgroup2", SYS_mount, "mount the control groups", .harm = SCRATCH,
             .args = { P("none"), P("/tmp"), P("cgroup2"), 0, 0 }, .odd = { 0, NOWHERE }),
        CALL("mount-bind", SYS_mount, "bind the root elsewhere", .harm = SCRATCH,
             .args = { P("/"), P("/tmp"), 0, MS_BIND | MS_REC, 0 }, .odd = { 0, NOWHERE }),
        CALL("mount-remount", SYS_mount, "make the root's mount writable again", .harm = SCRATCH,
             .args = { 0, P("/"), 0, MS_REMOUNT | MS_BIND, 0 }, .odd = { 0, NOWHERE }),
        CALL("mount-shared", SYS_mount, "make mounts propagate", .harm = SCRATCH,
             .args = { 0, P("/"), 0, MS_REC | MS_SHARED, 0 }, .odd = { 0, NOWHERE }),
        REACH("umount", SYS_umount2, "unmount a directory", .harm = SCRATCH,
              .args = { P("/etc"), MNT_DETACH }, .odd = { P("/etc"), EVERY_BIT }),
        REACH("pivot-root", SYS_pivot_root, "change the root of the namespace", .harm = SCRATCH,
              .args = { P("/"), P("/") }),
        CALL("chroot", SYS_chroot, "change the own root", .args = { P("/") }, .odd = { NOWHERE }),
        CALL("fsopen", SYS_fsopen, "a file system without a mount point",
             .args = { P("tmpfs"), 0 }),
        CALL("fspick", SYS_fspick, "take the root's file system to change its options",
             .args = { (uint64_t) (int64_t) AT_FDCWD, P("/"), 0 }),
        REACH("fsmount", SYS_fsmount, "mount by descriptor", .args = { NOWHERE, 0, 0 },
              .odd = { NOWHERE, EVERY_BIT, EVERY_BIT }),
        CALL("open-tree", SYS_open_tree, "clone a mount",
             .args = { (uint64_t) (int64_t) AT_FDCWD, P("/"), OPEN_TREE_CLONE },
             .odd = { NOWHERE, P("/"), EVERY_BIT }),
        REACH("open-tree-attr", SYS_OPEN_TREE_ATTR, "clone a mount with other flags",
              .args = { NOWHERE, P("x"), OPEN_TREE_CLONE, P(&no_flags), sizeof(no_flags) },
              .odd = { NOWHERE, P("x"), EVERY_BIT, 0, 0 }),
        REACH("move-mount", SYS_move_mount, "attach a mount",
              .args = { NOWHERE, P(""), NOWHERE, P(""), 0x44 },
              .odd = { NOWHERE, P(""), NOWHERE, P(""), EVERY_BIT }),
        REACH("mount-setattr", SYS_mount_setattr, "clear the flags of a mount",
              .args = { NOWHERE, P("x"), 0, P(&no_flags), sizeof(no_flags) },
              .odd = { NOWHERE, P("x"), EVERY_BIT, P(&no_flags), sizeof(no_flags) }),
        /* ---- sockets */
        SOCKET("alg", AF_ALG, SOCK_SEQPACKET, 0, "the kernel's ciphers (AF_ALG)"),
        SOCKET("packet", AF_PACKET, SOCK_RAW, 0, "raw packets (AF_PACKET)"),
        SOCKET("netlink", AF_NETLINK, SOCK_RAW, 0, "the network's configuration (AF_NETLINK)"),
        SOCKET("netlink-xfrm", AF_NETLINK, SOCK_RAW, 6, "IPsec's tables (NETLINK_XFRM)"),
        SOCKET("netlink-nft", AF_NETLINK, SOCK_RAW, 12, "packet filters (NETLINK_NETFILTER)"),
        SOCKET("netlink-high", AF_NETLINK | HIGH, SOCK_RAW, 0, "AF_NETLINK, high bits set"),
        SOCKET("vsock", AF_VSOCK, SOCK_STREAM, 0, "the hypervisor's side (AF_VSOCK)"),
        SOCKET("key", AF_KEY, SOCK_RAW, 2, "IPsec's keys (AF_KEY)"),
        SOCKET("rxrpc", AF_RXRPC, SOCK_DGRAM, AF_INET, "AF_RXRPC"),
        SOCKET("bluetooth", AF_BLUETOOTH, SOCK_RAW, 1, "AF_BLUETOOTH"),
        SOCKET("can", AF_CAN, SOCK_RAW, 1, "AF_CAN"),
        SOCKET("tipc", AF_TIPC, SOCK_DGRAM, 0, "AF_TIPC"),
        SOCKET("xdp", AF_XDP, SOCK_RAW, 0, "AF_XDP"),
        SOCKET("rds", AF_RDS, SOCK_SEQPACKET, 0, "AF_RDS"),
        SOCKET("kcm", AF_KCM, SOCK_DGRAM, 0, "AF_KCM"),
        SOCKET("raw-inet", AF_INET, SOCK_RAW, IPPROTO_ICMP, "raw IP packets"),
        SOCKET("raw-inet6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, "raw IPv6 packets"),
        REACH("tcp-ulp", SYS_setsockopt, "TLS in the kernel (TCP_ULP)", .wall = WALL_FILTER,
              .args = { NOWHERE, IPPROTO_TCP, TCP_ULP, P("tls"), 3 }),
        /* ---- parts of the kernel */
        CALL("io-uring", SYS_io_uring_setup, "calls that no filter sees (io_uring)",
             .args = { 1, P(&ring) }, .odd = { 0, 0 }),
        CALL("bpf", SYS_bpf, "a program or map in the kernel (bpf)",
             .args = { BPF_MAP_CREATE, P(&map_attr), sizeof(map_attr) },
             .odd = { BPF_MAP_CREATE, NOWHERE, 1u << 20 }),
        CALL("perf", SYS_perf_event_open, "performance events",
             .args = { P(&clock_attr), 0, NOWHERE, NOWHERE, 0 },
             .odd = { NOWHERE, 0, NOWHERE, NOWHERE, EVERY_BIT }),
        CALL("userfaultfd", SYS_userfaultfd, "page faults served by a program",
             .args = { O_CLOEXEC }, .odd = { EVERY_BIT }),
        CALL("keyctl", SYS_keyctl, "a session keyring", .args = { KEYCTL_JOIN_SESSION_KEYRING, 0 },
             .odd = { 9999, 0 }),
        CALL("add-key", SYS_add_key, "a key in the kernel",
             .args = { P("user"), P("warder-probe"), P("x"), 1, PROCESS_KEYRING },
             .odd = { NOWHERE, NOWHERE, 0, 0, 0 }),
        REACH("request-key", SYS_request_key, "a key of somebody else",
              .args = { P("user"), P("warder-probe"), 0, PROCESS_KEYRING },
              .odd = { NOWHERE, NOWHERE, 0, 0 }),
        REACH("init-module", SYS_init_module, "load a kernel module",
              .args = { P(one_byte), 0, P("") }),
        REACH("finit-module", SYS_finit_module, "load a kernel module by descriptor",
              .args = { NOWHERE, P(""), 0 }),
        REACH("delete-module", SYS_delete_module, "unload a kernel module",
              .args = { P("warder_no_such_module"), O_NONBLOCK }),
        REACH("kexec-load", SYS_kexec_load, "replace the kernel", .args = { 0, 99, 0, EVERY_BIT }),
        REACH("kexec-file", SYS_kexec_file_load, "replace the kernel by a file",
              .args = { NOWHERE, NOWHERE, 0, 0, EVERY_BIT }),
        REACH("reboot", SYS_reboot, "reboot, with a wrong magic number", .args = { 1, 2, 3, 0 }),
        REACH("swapon", SYS_swapon, "swap to a file", .args = { P("/proc/warder-none"), 0 },
              .odd = { NOWHERE, EVERY_BIT }),
        REACH("acct", SYS_acct, "process accounting", .args = { P("/proc/warder-none") }),
        REACH("quotactl", SYS_quotactl, "disk quotas of the root",
              .args = { 0x800002u << 8, P("/dev/warder-none"), 0, 0 }),
        CALL("syslog", SYS_syslog, "the kernel's log", .args = { 3, P(one_byte), 1 },
             .odd = { 99, 0, 0 }),
        CALL("sethostname", SYS_sethostname, "the host's name", .harm = SCRATCH,
             .args = { P("probe"), 5 }, .odd = { 0, NOWHERE }),
        REACH("process-vm-readv", SYS_process_vm_readv, "read the memory of init", .harm = SCRATCH,
              .args = { 1, P(&here), 1, P(&there), 1, 0 }, .odd = { 1, 0, 0, 0, 0, EVERY_BIT }),
        REACH("process-vm-writev", SYS_process_vm_writev, "write the memory of init",
              .harm = SCRATCH, .args = { 1, P(&here), 1, P(&there), 1, 0 },
              .odd = { 1, 0, 0, 0, 0, EVERY_BIT }),
        CALL("kcmp", SYS_kcmp, "compare the kernel's pointers of two processes", .harm = SCRATCH,
             .args = { 1, 1, 0, 0, 0 }, .odd = { 0x7fffffff, 1, 0, 0, 0 }),
        CALL("move-pages", SYS_move_pages, "where the memory of init lies", .harm = SCRATCH,
             .args = { 1, 0, 0, 0, 0, 2 }, .odd = { 1, 0, 0, 0, 0, EVERY_BIT }),
        CALL("no-random-addresses", SYS_personality, "addresses that are not random",
             .wall = WALL_FILTER, .args = { ADDR_NO_RANDOMIZE }),
        CALL("read-implies-exec", SYS_personality, "all memory executable", .wall = WALL_FILTER,
             .args = { READ_IMPLIES_EXEC | HIGH }),
        REACH("tiocsti", SYS_ioctl, "input faked into a terminal (TIOCSTI)", .wall = WALL_FILTER,
              .args = { NOWHERE, FAULTSTI, P(one_byte) }),
        REACH("tiocsti-high", SYS_ioctl, "TIOCSTI, high bits set", .wall = WALL_FILTER,
              .args = { NOWHERE, FAULTSTI | HIGH, P(one_byte) }),
        REACH("tioclinux", SYS_ioctl, "the console's selection (TIOCLINUX)", .wall = WALL_FILTER,
              .args = { NOWHERE, CONSOLE, P(one_byte) }),
        { 0 },
};

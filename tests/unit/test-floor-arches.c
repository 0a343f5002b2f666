/*
 * The floor's decisions on x86_64 and aarch64, without a kernel: a table of calls by name, with arguments
 * whose high halves are garbage where the kernel cuts them off. tests/unit/test-floor makes the calls.
 */
#include <errno.h>
#include <linux/audit.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/owned.h"
#include "filter-floor-aarch64.h"
#include "filter-floor.h"
#include "tests/tap.h"
#include "tests/unit/bpf.h"

#define HIGH (UINT64_C(0xabcd) << 32)
#ifdef __aarch64__
#define NATIVE AUDIT_ARCH_AARCH64
#else
#define NATIVE AUDIT_ARCH_X86_64
#endif

typedef struct Row {
        const char *name;
        uint64_t args[3];
        uint32_t refusal;
} Row;

static const struct {
        const char *name;
        uint32_t token, library;
        const struct sock_filter *code;
        size_t n;
} floors[] = {
        { "the build's own", NATIVE, SCMP_ARCH_NATIVE, filter_floor, ELEMENTS(filter_floor) },
        { "aarch64", AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, filter_floor_aarch64,
          ELEMENTS(filter_floor_aarch64) },
};

/* clang-format off */
static const Row rows[] = {
        { "clone", { SIGCHLD }, 0 },
        { "clone", { SIGCHLD | HIGH }, 0 },
        { "clone", { CLONE_VM | CLONE_THREAD | CLONE_SIGHAND }, 0 },
        { "clone", { CLONE_NEWUSER | SIGCHLD }, EPERM },
        { "clone", { CLONE_NEWNS | HIGH }, EPERM },
        { "clone", { 0, CLONE_NEWNS }, 0 },
        { "clone3", { 0 }, ENOSYS },
        { "unshare", { CLONE_FILES }, 0 },
        { "unshare", { CLONE_NEWNET }, EPERM },
        { "unshare", { 0x80 }, EPERM },
        { "setns", { 3, HIGH }, EPERM },
        { "mount", { 0 }, EPERM }, { "umount2", { 0 }, EPERM }, { "pivot_root", { 0 }, EPERM },
        { "chroot", { 0 }, EPERM }, { "fsopen", { 0 }, EPERM }, { "move_mount", { 0 }, EPERM },
        { "mount_setattr", { 0 }, EPERM }, { "open_tree", { 0 }, EPERM },
        { "bpf", { HIGH }, EPERM }, { "perf_event_open", { 0 }, EPERM },
        { "splice", { 0 }, EINVAL }, { "tee", { HIGH }, EINVAL },
        { "setsockopt", { 0, 6, 14 }, ENOPROTOOPT }, { "setsockopt", { 0, 6, 14 | HIGH }, ENOPROTOOPT },
        { "setsockopt", { 0, 1, 37 }, ENOPROTOOPT }, { "setsockopt", { 0, 1, 65 }, ENOPROTOOPT },
        { "setsockopt", { 0, 6, 32 }, ENOPROTOOPT }, { "setsockopt", { 0, 6, 38 }, ENOPROTOOPT },
        { "userfaultfd", { 0 }, ENOSYS }, { "io_uring_setup", { 0 }, ENOSYS },
        { "io_uring_enter", { 0 }, ENOSYS }, { "memfd_secret", { 0 }, ENOSYS },
        { "keyctl", { HIGH }, EPERM }, { "add_key", { 0 }, EPERM }, { "request_key", { 0 }, EPERM },
        { "process_vm_readv", { 0 }, EPERM }, { "process_vm_writev", { 0 }, EPERM },
        { "process_madvise", { 0 }, EPERM }, { "pidfd_getfd", { 0 }, EPERM }, { "kcmp", { 0 }, EPERM },
        { "ptrace", { 16 }, 0 },
        { "init_module", { 0 }, EPERM }, { "finit_module", { 0 }, EPERM },
        { "delete_module", { 0 }, EPERM }, { "kexec_load", { 0 }, EPERM },
        { "kexec_file_load", { 0 }, EPERM }, { "reboot", { 0 }, EPERM },
        { "open_by_handle_at", { 0 }, EPERM }, { "name_to_handle_at", { 0 }, EPERM },
        { "personality", { 0 }, 0 }, { "personality", { HIGH }, 0 },
        { "personality", { 0xffffffff }, 0 }, { "personality", { UINT64_MAX }, 0 },
        { "personality", { 8 }, EPERM }, { "personality", { 8 | HIGH }, EPERM },
        { "personality", { 0x40000 | HIGH }, EPERM },
        { "ioctl", { 0, 0x5412 }, EPERM }, { "ioctl", { 0, 0x5412 | HIGH }, EPERM },
        { "ioctl", { 0x5412, 0x5413 }, 0 }, { "ioctl", { 0, 0x541c | HIGH }, EPERM },
        { "ioctl", { 0, 0x5423 }, EPERM }, { "ioctl", { 0, UINT64_MAX }, 0 },
        { "socket", { AF_UNIX, 1, 0 }, 0 }, { "socket", { AF_INET | HIGH, 1, IPPROTO_TCP | HIGH }, 0 },
        { "socket", { AF_INET6, 2, IPPROTO_ICMPV6 }, 0 },
        { "socket", { AF_NETLINK, 3, 0 }, EAFNOSUPPORT },
        { "socket", { AF_ALG | HIGH, 5, 0 }, EAFNOSUPPORT },
        { "socket", { UINT64_MAX, 1, 0 }, EAFNOSUPPORT }, { "socket", { 1000, 1, 0 }, EAFNOSUPPORT },
        { "socketpair", { AF_TIPC, 1, 0 }, EAFNOSUPPORT },
        { "socket", { AF_INET, 5, 132 }, EPROTONOSUPPORT },
        { "socket", { AF_INET6, 1, 262 | HIGH }, EPROTONOSUPPORT },
        { "setsockopt", { HIGH, 6 | HIGH, 31 | HIGH }, ENOPROTOOPT },
        { "setsockopt", { 0, 6, 1 }, 0 }, { "setsockopt", { 0, 1, 31 }, 0 },
        { "setsockopt", { 0, 17, 100 }, ENOPROTOOPT }, { "setsockopt", { 0, 282 | HIGH, 0 }, ENOPROTOOPT },
        { "setsockopt", { 0, 255, 0 }, 0 }, { "setsockopt", { 0, 1, 50 }, EPERM },
        { "prctl", { 62 | HIGH }, EPERM }, { "prctl", { 15 }, 0 },
        { "read", { 0 }, 0 }, { "execve", { 0 }, 0 }, { "openat2", { 0 }, 0 }, { "exit_group", { 0 }, 0 },
};
/* clang-format on */

static uint32_t ask(unsigned floor, uint32_t arch, uint32_t number, const uint64_t *args) {
        struct seccomp_data data = { .nr = (int) number, .arch = arch };

        for (unsigned i = 0; args && i < 3; i++)
                data.args[i] = args[i];
        return bpf_run(floors[floor].code, floors[floor].n, &data);
}

static void test_rows(unsigned floor) {
        for (unsigned i = 0; i < ELEMENTS(rows); i++) {
                const Row *row = &rows[i];
                int number = seccomp_syscall_resolve_name_arch(floors[floor].library, row->name);
                uint32_t want = row->refusal ? SECCOMP_RET_ERRNO | row->refusal : SECCOMP_RET_ALLOW;

                ok(number >= 0 &&
                           ask(floor, floors[floor].token, (uint32_t) number, row->args) == want,
                   "%s: %s(%llx, %llx, %llx): %u", floors[floor].name, row->name,
                   (unsigned long long) row->args[0], (unsigned long long) row->args[1],
                   (unsigned long long) row->args[2], row->refusal);
        }
}

static void test_foreign(unsigned floor) {
        const char *name = floors[floor].name;
        uint32_t own = floors[floor].token;
        bool is_x86 = own == AUDIT_ARCH_X86_64;

        ok(ask(floor, AUDIT_ARCH_I386, 20, NULL) == SECCOMP_RET_KILL_PROCESS, "%s: int 0x80 kills",
           name);
        ok(ask(floor, is_x86 ? AUDIT_ARCH_AARCH64 : AUDIT_ARCH_X86_64, 0, NULL) ==
                   SECCOMP_RET_KILL_PROCESS,
           "%s: another architecture kills", name);
        ok(ask(floor, own, 0x40000000, NULL) ==
                   (is_x86 ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | ENOSYS),
           "%s: numbers of x32", name);
        for (uint32_t number = 470; number < 1024; number++)
                if (ask(floor, own, number, NULL) != (SECCOMP_RET_ERRNO | ENOSYS)) {
                        ok(false, "%s: call %u is newer than the floor, and let through", name,
                           number);
                        return;
                }
        ok(true, "%s: all numbers above the last that was read are absent", name);
}

int main(void) {
        for (unsigned floor = 0; floor < ELEMENTS(floors); floor++) {
                test_rows(floor);
                test_foreign(floor);
        }
        return tap_end();
}

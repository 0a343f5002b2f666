/*
 * seccomp: a profile as an administrator wrote it. Any text ends, in a filter or in a reason; a filter's code is
 * whole, ends for every call, and lets no foreign architecture, no x32 number and no clone3 through.
 *
 */
#include "supervisor/front/policy/seccomp-profile.h"

#include <linux/audit.h>
#include <stdlib.h>

#include "base/fds.h"
#include "base/owned.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/bpf.h"

#define CLONE3 435
#define X32    0x40000000

static void must(int good) {
        if (!good)
                abort();
}

static uint32_t ask(const struct sock_filter *code, size_t n, uint32_t arch, int number) {
        const struct seccomp_data data = { .arch = arch,
                                           .nr = number,
                                           .args = { 1, UINT64_MAX, 0x80000000, 16, 0, 9 } };

        return bpf_run(code, n, &data);
}

static void try_filter(const struct sock_filter *code, size_t n, uint32_t arch) {
        uint32_t other = arch == AUDIT_ARCH_X86_64 ? AUDIT_ARCH_AARCH64 : AUDIT_ARCH_X86_64;

        for (int number = 0; number < 480; number++)
                must(ask(code, n, arch, number) != BPF_BROKEN);
        must(ask(code, n, arch, CLONE3) == (SECCOMP_RET_ERRNO | ENOSYS));
        must(ask(code, n, other, 0) == SECCOMP_RET_KILL_PROCESS);
        must(ask(code, n, AUDIT_ARCH_I386, 1) == SECCOMP_RET_KILL_PROCESS);
        must(arch != AUDIT_ARCH_X86_64 || ask(code, n, arch, X32) == SECCOMP_RET_KILL_PROCESS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        uint32_t arch = n > 0 && data[n - 1] == 'a' ? AUDIT_ARCH_AARCH64 : AUDIT_ARCH_X86_64;
        SeccompFilter filter = SECCOMP_FILTER_EMPTY;
        autofree char *bytes = NULL;
        Error err = ERROR_EMPTY;
        size_t size = 0;

        if (seccomp_profile_compile((const char *) data, n, arch, &filter, &err) < 0) {
                must(err.text[0] != 0);
                return 0;
        }
        must(fd_read_all(filter.fd, 1 << 20, &bytes, &size) == 0);
        must(filter.notices && size > 0 && size % sizeof(struct sock_filter) == 0);
        must(size / sizeof(struct sock_filter) <= BPF_MAXINSNS);
        try_filter((const struct sock_filter *) (const void *) bytes,
                   size / sizeof(struct sock_filter), arch);
        free(filter.notices);
        (void) close(filter.fd);
        return 0;
}

/*
 * What a compiled filter decides, on both architectures, without a kernel: random profiles against a plain
 * reading of their rules; and what holds on each architecture whatever a profile says.
 */
#include <errno.h>
#include <linux/audit.h>
#include <seccomp.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/seccomp-widths.h"
#include "sandbox/seccomp.h"
#include "tests/tap.h"
#include "tests/unit/bpf.h"

#define PROFILES 400
#define PROBES   300
#define RULES    14
#define X32      0x40000000u

typedef struct Filter {
        struct sock_filter code[BPF_MAXINSNS];
        size_t n;
} Filter;

static const struct {
        const char *name;
        uint32_t token, library;
} arches[] = {
        { "x86_64", AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64 },
        { "aarch64", AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64 },
};

static const char *const calls[] = { "read",    "write",       "socket",   "ioctl",
                                     "fcntl",   "personality", "fchmodat", "unshare",
                                     "openat",  "prctl",       "mmap",     "setsockopt",
                                     "getppid", "clone",       "lseek",    "no_such_call" };
static const uint64_t values[] = {
        0,
        1,
        2,
        9,
        16,
        0xffff,
        0x10000,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        UINT64_MAX,
        0x100000000,
        0x100000010,
        0x700000001,
        0xffffffff80000000,
        0x5412,
        0x1ffff,
        0x10002,
        UINT64_MAX - 15,
};

static uint32_t state = 20260105; /* one sequence, so that a failure repeats */

static uint32_t any(uint32_t below) {
        state = state * 1664525 + 1013904223;
        return (uint32_t) (((uint64_t) (state >> 4) * below) >> 28);
}

static uint64_t any_value(void) {
        uint64_t value = values[any(ELEMENTS(values))];

        return any(4) == 0 ? value + any(3) - 1 : value;
}

static bool compile(const SeccompProfile *profile, Filter *ret) {
        autofree char *bytes = NULL;
        autoclose int fd = -EBADF;
        size_t n = 0;

        if (seccomp_compile(profile, &fd, NULL, NULL) < 0 ||
            fd_read_all(fd, sizeof ret->code, &bytes, &n) < 0)
                return false;
        memcpy(ret->code, bytes, n);
        ret->n = n / sizeof(struct sock_filter);
        return true;
}

/* ---- the plain reading ---------------------------------------------------------------------------- */

static uint64_t cut(uint64_t value, unsigned width) {
        return width == 64 ? value : value & ((UINT64_C(1) << width) - 1);
}

static bool holds(const SeccompArg *arg, uint64_t given, unsigned width) {
        uint64_t seen = cut(given, width), value = arg->value, two = arg->value_two;

        if (width == 32 && (int64_t) value < 0 && (int64_t) value >= INT32_MIN)
                value = cut(value, 32); /* a negative int */
        if (width == 32 && (int64_t) two < 0 && (int64_t) two >= INT32_MIN)
                two = cut(two, 32);
        switch (arg->op) {
        case SECCOMP_OP_NE:
                return seen != value;
        case SECCOMP_OP_LT:
                return seen < value;
        case SECCOMP_OP_LE:
                return seen <= value;
        case SECCOMP_OP_EQ:
                return seen == value;
        case SECCOMP_OP_GE:
                return seen >= value;
        case SECCOMP_OP_GT:
                return seen > value;
        default:
                return (seen & arg->value) == two;
        }
}

static bool matches(const SeccompRule *rule, const char *name, const uint64_t *args) {
        bool named = false;

        for (unsigned i = 0; i < rule->n_names; i++)
                named = named || strcmp(rule->names[i], name) == 0;
        for (unsigned i = 0; i < rule->n_args && named; i++)
                named = holds(&rule->args[i], args[rule->args[i].index],
                              seccomp_width(name, rule->args[i].index));
        return named;
}

static uint32_t answer(uint32_t action, uint32_t code) {
        switch (action) {
        case SECCOMP_DO_ALLOW:
                return SECCOMP_RET_ALLOW;
        case SECCOMP_DO_LOG:
                return SECCOMP_RET_LOG;
        case SECCOMP_DO_TRAP:
                return SECCOMP_RET_TRAP;
        case SECCOMP_DO_KILL:
                return SECCOMP_RET_KILL_PROCESS;
        default:
                return SECCOMP_RET_ERRNO | code;
        }
}

static uint32_t decide(const SeccompProfile *profile, const char *name, const uint64_t *args) {
        const SeccompRule *best = NULL;

        for (unsigned i = 0; i < profile->n_rules; i++)
                if (matches(&profile->rules[i], name, args) &&
                    (!best || profile->rules[i].action > best->action))
                        best = &profile->rules[i];
        return best ? answer(best->action, best->errno_ret)
                    : answer(profile->default_action, profile->default_errno);
}

/* ---- random profiles ------------------------------------------------------------------------------ */

static void make_rule(SeccompRule *rule, uint32_t code) {
        *rule = (SeccompRule){ .names = &calls[any(ELEMENTS(calls) - 2)],
                               .n_names = 1 + any(3),
                               .action = SECCOMP_DO_ALLOW + any(5),
                               .errno_ret = code,
                               .n_args = any(4) };
        if (rule->names + rule->n_names > calls + ELEMENTS(calls))
                rule->n_names = 1;
        for (unsigned i = 0; i < rule->n_args; i++)
                rule->args[i] =
                        (SeccompArg){ any(4), SECCOMP_OP_NE + any(7), any_value(), any_value() };
}

static void fill(struct seccomp_data *data, const SeccompProfile *profile) {
        const SeccompRule *rule = &profile->rules[any(profile->n_rules)];

        for (unsigned i = 0; i < 6; i++)
                data->args[i] = any_value();
        for (unsigned i = 0; i < rule->n_args && any(2); i++) /* near what a rule tests */
                data->args[rule->args[i].index] =
                        any(2) ? rule->args[i].value
                               : (rule->args[i].value_two | (uint64_t) any(2) << 32);
}

static unsigned wrong_answers(const SeccompProfile *profile, const Filter *filter,
                              uint32_t library) {
        struct seccomp_data data = { .arch = profile->arch };
        unsigned wrong = 0;

        for (unsigned i = 0; i < PROBES; i++) {
                const char *name = calls[any(ELEMENTS(calls) - 1)];
                uint64_t args[6];
                uint32_t got, want;

                data.nr = seccomp_syscall_resolve_name_arch(library, name);
                fill(&data, profile);
                memcpy(args, data.args, sizeof args);
                got = bpf_run(filter->code, filter->n, &data);
                want = decide(profile, name, args);
                if (got != want && wrong++ == 0)
                        printf("# %s(%llx, %llx, %llx): %x, not %x\n", name,
                               (unsigned long long) data.args[0], (unsigned long long) data.args[1],
                               (unsigned long long) data.args[2], got, want);
        }
        return wrong;
}

static void test_random(unsigned arch) {
        static Filter filter;
        SeccompRule rules[RULES];
        SeccompProfile profile = { .rules = rules, .arch = arches[arch].token, .last_call = 500 };
        unsigned wrong = 0, failed = 0;

        for (unsigned i = 0; i < PROFILES; i++) {
                profile.n_rules = 1 + any(RULES);
                profile.default_action = SECCOMP_DO_ALLOW + any(5);
                profile.default_errno = ENOSYS;
                for (unsigned k = 0; k < profile.n_rules; k++)
                        make_rule(&rules[k], k + 1);
                if (compile(&profile, &filter))
                        wrong += wrong_answers(&profile, &filter, arches[arch].library);
                else
                        failed++;
        }
        ok(failed == 0, "%s: random profiles compile", arches[arch].name);
        ok(wrong == 0, "%s: %d decisions are what the rules say", arches[arch].name,
           PROFILES * PROBES);
}

/* ---- what always holds ---------------------------------------------------------------------------- */

static uint32_t ask(const Filter *filter, uint32_t arch, uint32_t number) {
        struct seccomp_data data = { .arch = arch, .nr = (int) number };

        return bpf_run(filter->code, filter->n, &data);
}

static void test_always(unsigned arch) {
        static const char *const names[] = { "read", "clone3", "getppid", "clone" };
        const SeccompRule rule = { names, 4, SECCOMP_DO_ALLOW, 0, 0, { { 0 } } };
        SeccompProfile profile = { SECCOMP_DO_ERRNO, EPERM, &rule, 1, arches[arch].token, 0 };
        uint32_t own = arches[arch].token, other = arches[1 - arch].token;
        const char *name = arches[arch].name;
        static Filter filter;

        ok(compile(&profile, &filter), "%s: compiles", name);
        ok(ask(&filter, own, 435) == (SECCOMP_RET_ERRNO | ENOSYS), "%s: clone3 is absent", name);
        ok(ask(&filter, own, 436) == (SECCOMP_RET_ERRNO | ENOSYS),
           "%s: a call above the profile's highest is absent", name);
        ok(ask(&filter, own, 300) == (SECCOMP_RET_ERRNO | EPERM), "%s: one below has the default",
           name);
        ok(ask(&filter, own, UINT32_MAX) == (SECCOMP_RET_ERRNO | ENOSYS),
           "%s: a call that a tracer cancelled ends nothing", name);
        ok(ask(&filter, other, 0) == SECCOMP_RET_KILL_PROCESS, "%s: the other architecture kills",
           name);
        ok(ask(&filter, AUDIT_ARCH_I386, 3) == SECCOMP_RET_KILL_PROCESS,
           "%s: int 0x80, the 32-bit token, kills", name);
        ok(ask(&filter, AUDIT_ARCH_ARM, 3) == SECCOMP_RET_KILL_PROCESS, "%s: 32-bit ARM kills",
           name);
        ok(ask(&filter, own, X32) == (own == AUDIT_ARCH_X86_64 ? SECCOMP_RET_KILL_PROCESS
                                                               : SECCOMP_RET_ERRNO | ENOSYS),
           "%s: the numbers of x32", name);
        profile.default_action = SECCOMP_DO_KILL;
        ok(compile(&profile, &filter) && ask(&filter, own, 436) == SECCOMP_RET_KILL_PROCESS,
           "%s: where the default kills, a newer call is killed too", name);
}

static void test_limits(void) {
        static SeccompRule rules[1200];
        SeccompProfile profile = { SECCOMP_DO_ERRNO, EPERM, rules, ELEMENTS(rules), 0, 0 };
        SeccompProfile foreign = { .default_action = SECCOMP_DO_ERRNO, .arch = AUDIT_ARCH_RISCV64 };
        static Filter filter;

        for (unsigned i = 0; i < ELEMENTS(rules); i++)
                rules[i] = (SeccompRule){ .names = &calls[10],
                                          .n_names = 1,
                                          .action = SECCOMP_DO_ALLOW,
                                          .n_args = 1,
                                          .args = { { 0, SECCOMP_OP_EQ, i, 0 } } };
        is_number(seccomp_compile(&profile, &(int){ -2 }, NULL, NULL), -E2BIG,
                  "more instructions than the kernel takes are refused");
        profile.n_rules = 400; /* jumps far above 255 instructions */
        ok(compile(&profile, &filter) && filter.n > 1200, "a long list of values compiles");
        for (uint64_t i = 0; i <= 400; i += 200) {
                struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64, .nr = SCMP_SYS(mmap) };

                data.args[0] = i;
#ifdef __aarch64__
                data.arch = AUDIT_ARCH_AARCH64;
#endif
                ok(bpf_run(filter.code, filter.n, &data) ==
                           (i < 400 ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM),
                   "value %d of it", (int) i);
        }
        is_number(seccomp_compile(&foreign, &(int){ -2 }, NULL, NULL), -EINVAL,
                  "an architecture that we do not know is refused");
}

int main(void) {
        for (unsigned arch = 0; arch < ELEMENTS(arches); arch++) {
                test_always(arch);
                test_random(arch);
        }
        test_limits();
        return tap_end();
}

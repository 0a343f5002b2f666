/*
 * seccomp: a profile in our own structs becomes a filter in a sealed memfd, by libseccomp.
 *
 * Three things hold whatever a profile says. A call of a foreign ABI (32-bit, x32) kills the process,
 * because its numbers mean other calls. clone3 answers ENOSYS, because its flags lie in memory where no
 * filter can read them; every C library then falls back to clone, whose flags a filter reads. And the
 * filter is a binary tree, because a linear one of a few hundred calls costs more to load than the rest
 * of a command's start.
 *
 * Two rules of the container world are kept, so that its profiles work as they are: names that this
 * host's library does not know are skipped and reported, and a rule that tests one argument twice means
 * any of its tests, not all.
 *
 * libseccomp refuses a rule whose action is the profile's default: such rules say nothing and are
 * skipped here.
 */
#include "sandbox/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/owned.h"

#define UNKNOWN_MAX 4096

DEFINE_SCOPED(scmp_filter_ctx, seccomp_release);

/* Calls that libseccomp 2.5.4 does not know. Their numbers are one on all architectures since 424. */
static const struct {
        const char *name;
        int number;
} newer_calls[] = {
        { "cachestat", 451 },         { "fchmodat2", 452 },        { "map_shadow_stack", 453 },
        { "futex_wake", 454 },        { "futex_wait", 455 },       { "futex_requeue", 456 },
        { "statmount", 457 },         { "listmount", 458 },        { "lsm_get_self_attr", 459 },
        { "lsm_set_self_attr", 460 }, { "lsm_list_modules", 461 }, { "mseal", 462 },
        { "setxattrat", 463 },        { "getxattrat", 464 },       { "listxattrat", 465 },
        { "removexattrat", 466 },     { "open_tree_attr", 467 },   { "file_getattr", 468 },
        { "file_setattr", 469 },
};

static int call_number(const char *name) {
        int number = seccomp_syscall_resolve_name(name);

        if (number != __NR_SCMP_ERROR)
                return number;
        for (unsigned i = 0; i < ELEMENTS(newer_calls); i++)
                if (strcmp(newer_calls[i].name, name) == 0)
                        return newer_calls[i].number;
        return __NR_SCMP_ERROR;
}

/* Returns: libseccomp's action, or UINT32_MAX for one that we do not know. */
static uint32_t action_of(uint32_t action, uint32_t errno_ret) {
        switch (action) {
        case SECCOMP_DO_ALLOW:
                return SCMP_ACT_ALLOW;
        case SECCOMP_DO_ERRNO:
                return SCMP_ACT_ERRNO(errno_ret & 0xffff);
        case SECCOMP_DO_KILL:
                return SCMP_ACT_KILL_PROCESS;
        case SECCOMP_DO_LOG:
                return SCMP_ACT_LOG;
        default:
                return UINT32_MAX;
        }
}

static int compare_of(const SeccompArg *arg, struct scmp_arg_cmp *ret) {
        static const enum scmp_compare ops[] = {
                [SECCOMP_OP_NE] = SCMP_CMP_NE,
                [SECCOMP_OP_LT] = SCMP_CMP_LT,
                [SECCOMP_OP_LE] = SCMP_CMP_LE,
                [SECCOMP_OP_EQ] = SCMP_CMP_EQ,
                [SECCOMP_OP_GE] = SCMP_CMP_GE,
                [SECCOMP_OP_GT] = SCMP_CMP_GT,
                [SECCOMP_OP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
        };

        if (arg->index > 5 || arg->op < SECCOMP_OP_NE || arg->op > SECCOMP_OP_MASKED_EQ)
                return -EINVAL;
        *ret = (struct scmp_arg_cmp){ arg->index, ops[arg->op], arg->value, arg->value_two };
        return 0;
}

static bool has_repeated_arg(const SeccompRule *rule) {
        uint32_t seen = 0;

        for (unsigned i = 0; i < rule->n_args; i++) {
                if (seen & BIT(rule->args[i].index))
                        return true;
                seen |= BIT(rule->args[i].index);
        }
        return false;
}

static int add_call(scmp_filter_ctx ctx, uint32_t action, int number, const SeccompRule *rule) {
        struct scmp_arg_cmp compare[6];
        int r = 0;

        for (unsigned i = 0; i < rule->n_args; i++)
                if (compare_of(&rule->args[i], &compare[i]) < 0)
                        return -EINVAL;
        if (!has_repeated_arg(rule))
                return seccomp_rule_add_array(ctx, action, number, rule->n_args, compare);
        for (unsigned i = 0; i < rule->n_args && r >= 0; i++)
                r = seccomp_rule_add_array(ctx, action, number, 1, &compare[i]);
        return r;
}

static int add_rule(scmp_filter_ctx ctx, const SeccompRule *rule, uint32_t default_action,
                    Buf *unknown, Error *err) {
        uint32_t action = action_of(rule->action, rule->errno_ret);
        int r, number;

        if (action == UINT32_MAX || rule->n_args > 6)
                return error_say(err, -EINVAL,
                                 "seccomp rule with an unknown action or too many arguments");
        for (unsigned i = 0; i < rule->n_names && action != default_action; i++) {
                const char *name = rule->names[i];

                if (strcmp(name, "clone3") == 0)
                        continue;
                number = call_number(name);
                if (number == __NR_SCMP_ERROR) {
                        r = buf_printf(unknown, "%s%s", unknown->len > 0 ? "," : "", name);
                        if (r == -ENOMEM)
                                return error_set(err, r,
                                                 "note an unknown call of a seccomp profile");
                        continue;
                }
                r = add_call(ctx, action, number, rule);
                if (r < 0 && r != -EEXIST)
                        return error_set(err, r, "add a seccomp rule for %s", name);
        }
        return 0;
}

static int add_rules(scmp_filter_ctx ctx, const SeccompProfile *profile, uint32_t default_action,
                     Buf *unknown, Error *err) {
        int r;

        r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (r >= 0)
                r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        if (r >= 0 && default_action != SCMP_ACT_ERRNO(ENOSYS))
                r = seccomp_rule_add_exact(ctx, SCMP_ACT_ERRNO(ENOSYS), call_number("clone3"), 0);
        if (r < 0)
                return error_set(err, r, "prepare a seccomp filter");
        for (unsigned i = 0; i < profile->n_rules; i++) {
                r = add_rule(ctx, &profile->rules[i], default_action, unknown, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int export_sealed(scmp_filter_ctx ctx, int *ret_fd, Error *err) {
        autoclose int fd = memfd_create("filter", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return error_set(err, -errno, "create a memfd for a seccomp filter");
        r = seccomp_export_bpf(ctx, fd);
        if (r < 0)
                return error_set(err, r, "compile a seccomp filter");
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0 ||
            lseek(fd, 0, SEEK_SET) < 0)
                return error_set(err, -errno, "seal a seccomp filter");
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int seccomp_compile(const SeccompProfile *profile, int *ret_fd, char **ret_unknown, Error *err) {
        uint32_t default_action = action_of(profile->default_action, profile->default_errno);
        SCOPED(seccomp_release) scmp_filter_ctx ctx = NULL;
        __attribute__((cleanup(buf_deinit))) Buf unknown = BUF_EMPTY(UNKNOWN_MAX);
        autofree char *names = NULL;
        int r;

        if (default_action == UINT32_MAX)
                return error_say(err, -EINVAL, "seccomp profile with an unknown default action");
        ctx = seccomp_init(default_action);
        if (!ctx)
                return error_say(err, -ENOMEM, "libseccomp cannot start a filter");
        r = add_rules(ctx, profile, default_action, &unknown, err);
        if (r < 0)
                return r;
        if (ret_unknown) {
                names = buf_take(&unknown);
                if (!names)
                        return error_set(err, -ENOMEM,
                                         "list the unknown calls of a seccomp profile");
        }
        r = export_sealed(ctx, ret_fd, err);
        if (r < 0)
                return r;
        if (ret_unknown)
                *ret_unknown = TAKE_PTR(names);
        return 0;
}

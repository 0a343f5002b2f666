/*
 * seccomp: a profile in our own structs becomes a filter in a sealed memfd. libseccomp knows the numbers of
 * calls on each architecture; the instructions are ours (seccomp-code.c says why).
 *
 * Three things hold whatever a profile says. A call of a foreign ABI (32-bit, x32) kills the process,
 * because its numbers mean other calls. clone3 answers ENOSYS, because its flags lie in memory where no
 * filter can read them; every C library then falls back to clone, whose flags a filter reads. And a call
 * that is newer than every call the profile names answers ENOSYS where the default is an errno: programs
 * try new calls first and take only ENOSYS for "use the old one".
 *
 * Of all rules that match the strictest decides: an author who allows ioctl and refuses one command means
 * both lines. Names that no table knows are noted; a name that libseccomp knows of another architecture
 * only is a call that does not exist here, and needs no word.
 */
#include "sandbox/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/seccomp-code.h"
#include "sandbox/seccomp-widths.h"

#define NOTES_MAX    (64 * 1024)
#define CALLS_MAX    8192 /* rules times names */
#define X32_BIT      0x40000000u
#define FOREIGN_CALL (-2)

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "a filter needs the architecture's token, and a look at its numbers"
#endif

static const struct {
        uint32_t token, library, x32_bit;
} arches[] = {
        { AUDIT_ARCH_X86_64, SCMP_ARCH_X86_64, X32_BIT },
        { AUDIT_ARCH_AARCH64, SCMP_ARCH_AARCH64, 0 },
};

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

typedef struct Entry {
        CodeRule rule;
        uint32_t action; /* SeccompAction, for the order */
        unsigned order;
} Entry;

typedef struct Work {
        Entry *entries;  /* owned */
        CodeRule *rules; /* owned */
        unsigned n, max;
        uint32_t arch, library, x32_bit;
        Buf notes;
        Buf unknown;
} Work;

static void work_deinit(Work *work) {
        free(work->entries);
        free(work->rules);
        buf_deinit(&work->notes);
        buf_deinit(&work->unknown);
}

/* Returns: a number; FOREIGN_CALL: a call of other architectures only; __NR_SCMP_ERROR: of none. */
static int call_number(const Work *work, const char *name) {
        int number = seccomp_syscall_resolve_name_arch(work->library, name);

        for (unsigned i = 0; number == __NR_SCMP_ERROR && i < ELEMENTS(newer_calls); i++)
                if (strcmp(newer_calls[i].name, name) == 0)
                        number = newer_calls[i].number;
        return number >= 0 || number == __NR_SCMP_ERROR ? number : FOREIGN_CALL;
}

/* Returns: false for an action that we do not know. */
static bool answer_of(uint32_t action, uint32_t errno_ret, uint32_t *ret) {
        switch (action) {
        case SECCOMP_DO_ALLOW:
                *ret = SECCOMP_RET_ALLOW;
                return true;
        case SECCOMP_DO_LOG:
                *ret = SECCOMP_RET_LOG;
                return true;
        case SECCOMP_DO_ERRNO:
                *ret = SECCOMP_RET_ERRNO | (errno_ret & SECCOMP_RET_DATA);
                return true;
        case SECCOMP_DO_TRAP:
                *ret = SECCOMP_RET_TRAP;
                return true;
        case SECCOMP_DO_KILL:
                *ret = SECCOMP_RET_KILL_PROCESS;
                return true;
        default:
                return false;
        }
}

static int push(Work *work, const Entry *entry, Error *err) {
        if (work->n == work->max)
                return error_say(err, -E2BIG, "a seccomp profile names more than %d calls",
                                 CALLS_MAX);
        work->entries[work->n] = *entry;
        work->entries[work->n].order = work->n;
        work->n++;
        return 0;
}

static int add_call(Work *work, const SeccompRule *rule, const char *name, uint32_t answer,
                    Error *err) {
        int number = call_number(work, name);
        Entry entry = { .action = rule->action };

        if (number == __NR_SCMP_ERROR)
                return buf_printf(&work->unknown, "%s%.64s", work->unknown.len > 0 ? ", " : "",
                                  name) == -ENOMEM
                               ? error_set(err, -ENOMEM, "note a call of a seccomp profile")
                               : 0;
        if (number == FOREIGN_CALL)
                return 0;
        if (rule->n_args > 0 && !seccomp_width_known(name))
                (void) buf_printf(&work->notes, "%s: its arguments are compared in all 64 bits\n",
                                  name);
        entry.rule = (CodeRule){ .number = (uint32_t) number,
                                 .answer = answer,
                                 .n_tests = rule->n_args };
        for (unsigned i = 0; i < rule->n_args; i++) {
                const SeccompArg *arg = &rule->args[i];

                entry.rule.tests[i] = (CodeTest){ .index = arg->index,
                                                  .op = arg->op,
                                                  .width = seccomp_width(name, arg->index),
                                                  .value = arg->value,
                                                  .value_two = arg->value_two };
        }
        return push(work, &entry, err);
}

static int add_rule(Work *work, const SeccompRule *rule, Error *err) {
        uint32_t answer;
        int r = 0;

        if (!answer_of(rule->action, rule->errno_ret, &answer) || rule->n_args > CODE_TESTS)
                return error_say(err, -EINVAL,
                                 "seccomp rule with an unknown action or too many arguments");
        for (unsigned i = 0; i < rule->n_names && r >= 0; i++) {
                if (strcmp(rule->names[i], "clone3") != 0)
                        r = add_call(work, rule, rule->names[i], answer, err);
                else if (rule->action == SECCOMP_DO_ALLOW || rule->action == SECCOMP_DO_LOG)
                        (void) buf_printf(&work->notes, "clone3: answers ENOSYS, for no filter "
                                                        "can read its flags\n");
        }
        return r;
}

static int in_order(const void *left, const void *right) {
        const Entry *a = left, *b = right;

        if (a->rule.number != b->rule.number)
                return a->rule.number < b->rule.number ? -1 : 1;
        if (a->action != b->action)
                return a->action > b->action ? -1 : 1;
        return a->order < b->order ? -1 : 1;
}

static int add_rules(Work *work, const SeccompProfile *profile, Error *err) {
        static const char *const clone3_call[] = { "clone3" };
        static const SeccompRule clone3_rule = { .names = clone3_call,
                                                 .n_names = 1,
                                                 .action = SECCOMP_DO_ERRNO };
        int r = 0;

        for (unsigned i = 0; i < profile->n_rules && r >= 0; i++)
                r = add_rule(work, &profile->rules[i], err);
        if (r >= 0)
                r = add_call(work, &clone3_rule, "clone3", SECCOMP_RET_ERRNO | ENOSYS, err);
        if (r < 0)
                return r;
        if (work->unknown.len > 0)
                (void) buf_printf(&work->notes, "calls that are not known here: %.*s\n",
                                  (int) work->unknown.len, work->unknown.data);
        if (work->n > 0) /* without an entry there is no array, which qsort() may not be given */
                qsort(work->entries, work->n, sizeof *work->entries, in_order);
        for (unsigned i = 0; i < work->n; i++)
                work->rules[i] = work->entries[i].rule;
        return 0;
}

static int work_init(Work *work, const SeccompProfile *profile, Error *err) {
        uint32_t arch = profile->arch ? profile->arch : NATIVE_ARCH;

        for (unsigned i = 0; i < ELEMENTS(arches); i++)
                if (arches[i].token == arch) {
                        work->arch = arch;
                        work->library = arches[i].library;
                        work->x32_bit = arches[i].x32_bit;
                }
        if (!work->arch)
                return error_say(err, -EINVAL, "no filter is made for architecture 0x%x", arch);
        work->max = 1;
        for (unsigned i = 0; i < profile->n_rules && work->max <= CALLS_MAX; i++)
                work->max += profile->rules[i].n_names;
        work->max = work->max < CALLS_MAX ? work->max : CALLS_MAX;
        work->entries = calloc(work->max, sizeof *work->entries);
        work->rules = calloc(work->max, sizeof *work->rules);
        return work->entries && work->rules ? 0 : error_set(err, -ENOMEM, "compile a filter");
}

/* Above which number ENOSYS is the answer. */
static uint32_t last_call(const Work *work, const SeccompProfile *profile) {
        if (profile->last_call)
                return profile->last_call;
        if (profile->default_action != SECCOMP_DO_ERRNO)
                return UINT32_MAX;
        return work->rules[work->n - 1].number;
}

static int export_sealed(const Code *code, int *ret_fd, Error *err) {
        autoclose int fd = memfd_new("filter", false, err);
        autofree struct sock_filter *program = calloc(code->n, sizeof *program);
        int r;

        if (fd < 0)
                return fd;
        if (!program)
                return error_set(err, -ENOMEM, "make room for a filter");
        for (unsigned i = 0; i < code->n; i++)
                program[i] = code->backward[code->n - 1 - i];
        r = fd_write_all(fd, program, code->n * sizeof *program);
        if (r < 0)
                return error_set(err, r, "write a seccomp filter");
        r = memfd_add_seals(fd);
        if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = -errno;
        if (r < 0)
                return error_set(err, r, "seal a seccomp filter");
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int compile(Work *work, const SeccompProfile *profile, int *ret_fd, Error *err) {
        autofree Code *code = calloc(1, sizeof(Code));
        CodePlan plan = { .arch = work->arch, .x32_bit = work->x32_bit };
        int r;

        if (!code)
                return error_set(err, -ENOMEM, "compile a filter");
        if (!answer_of(profile->default_action, profile->default_errno, &plan.fallback))
                return error_say(err, -EINVAL, "seccomp profile with an unknown default action");
        r = add_rules(work, profile, err);
        if (r < 0)
                return r;
        plan.last_call = last_call(work, profile);
        plan.rules = work->rules;
        plan.n_rules = work->n;
        r = code_build(&plan, code);
        return r < 0 ? error_set(err, r, "compile a seccomp filter")
                     : export_sealed(code, ret_fd, err);
}

int seccomp_compile(const SeccompProfile *profile, int *ret_fd, char **ret_notes, Error *err) {
        __attribute__((cleanup(work_deinit)))
        Work work = { .notes = BUF_EMPTY(NOTES_MAX), .unknown = BUF_EMPTY(NOTES_MAX) };
        autofree char *notes = NULL;
        autoclose int fd = -EBADF;
        int r;

        r = work_init(&work, profile, err);
        if (r >= 0)
                r = compile(&work, profile, &fd, err);
        if (r < 0)
                return r;
        if (work.notes.len > 0)
                work.notes.data[--work.notes.len] = 0; /* the final newline */
        notes = buf_take(&work.notes);
        if (!notes)
                return error_set(err, -ENOMEM, "list the notes of a seccomp profile");
        *ret_fd = TAKE_FD(fd);
        if (ret_notes)
                *ret_notes = TAKE_PTR(notes);
        return 0;
}

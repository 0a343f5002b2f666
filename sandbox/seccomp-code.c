/*
 * seccomp-code: see seccomp-code.h.
 *
 * Why not libseccomp's own generator: tried with 2.5.4, it takes "allow ioctl" and "refuse ioctl with this
 * command" without a word and drops the second; it cannot test one argument twice in a rule; and it compares
 * 64 bits always, so that "allow socket but family 16" lets 16 + 2^32 pass, which the kernel takes as 16.
 *
 * Form: the architecture, then a binary search over the call's number, then what is left to test. Numbers
 * that follow each other and have one answer share a leaf, so a list of 300 calls is about 100 jumps, 7 of
 * which a call takes.
 *
 * Jumps go forward only and conditional ones reach 255 instructions. So the code is written from its end: what
 * a jump leads to is there already, and where it lies too far a plain jump is put in between. A label is
 * the index of an instruction counted from the end. Only a load falls through, to the jump written before it.
 */
#include "sandbox/seccomp-code.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/owned.h"
#include "sandbox/seccomp.h"

#define REACH      250 /* of a conditional jump, less the plain jumps that may come between */
#define NO_CALL    0xffffffffu /* a tracer that cancels a call sets this number: nothing will run */
#define LOW(V)     ((uint32_t) (V))
#define HIGH(V)    ((uint32_t) ((V) >> 32))
#define RANGES_MAX (2 * CODE_MAX)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the low half of an argument comes first");

typedef uint32_t Label;

typedef struct Pair {
        Label yes, no;
} Pair;

typedef struct Range {
        uint32_t start;  /* up to the next range's start */
        uint32_t answer; /* where it has no body */
        bool has_body;
        Label body;
} Range;

typedef struct Ranges {
        Range items[RANGES_MAX];
        unsigned n;
} Ranges;

static Label emit(Code *code, struct sock_filter op) {
        if (code->n > CODE_MAX) /* counted on, so that the caller sees it; nothing is written */
                return CODE_MAX;
        code->backward[code->n] = op;
        return code->n++;
}

/* Instructions between the next one written and @label. */
static uint32_t distance(const Code *code, Label label) {
        return code->n - label - 1;
}

static bool is_near(const Code *code, Label label) {
        return distance(code, label) <= REACH;
}

/* The same place, within reach of the next conditional jump. */
static Label near(Code *code, Label label) {
        if (is_near(code, label))
                return label;
        if (BPF_CLASS(code->backward[label].code) == BPF_RET)
                return emit(code, code->backward[label]);
        return emit(code, (struct sock_filter) BPF_STMT(BPF_JMP | BPF_JA, distance(code, label)));
}

static Label answer(Code *code, uint32_t value) {
        for (unsigned i = code->n; i > 0 && is_near(code, i - 1); i--)
                if (BPF_CLASS(code->backward[i - 1].code) == BPF_RET &&
                    code->backward[i - 1].k == value)
                        return i - 1;
        return emit(code, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, value));
}

static Label branch(Code *code, uint16_t jump, uint32_t value, Pair to) {
        to.yes = near(code, to.yes);
        to.no = near(code, to.no);
        return emit(code, (struct sock_filter) BPF_JUMP(BPF_JMP | jump | BPF_K, value,
                                                        (uint8_t) distance(code, to.yes),
                                                        (uint8_t) distance(code, to.no)));
}

static Label load(Code *code, uint32_t offset) {
        return emit(code, (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

/* ---- one condition -------------------------------------------------------------------------------- */

static uint32_t half_offset(const CodeTest *test, bool high) {
        return (uint32_t) offsetof(struct seccomp_data, args) + 8 * test->index + (high ? 4 : 0);
}

static Label load_low(Code *code, const CodeTest *test) {
        if (test->width == 16)
                (void) emit(code, (struct sock_filter) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xffff));
        return load(code, half_offset(test, false));
}

/* Only the low bits: what stands above, the kernel never sees. */
static Label compare_narrow(Code *code, const CodeTest *test, uint16_t jump, Pair to) {
        (void) branch(code, jump, LOW(test->value), to);
        return load_low(code, test);
}

/* All 64: the high halves decide where they differ, @jump on the low ones where not. */
static Label compare_wide(Code *code, const CodeTest *test, uint16_t jump, Pair to) {
        Label low = compare_narrow(code, test, jump, to);
        Label same = branch(code, BPF_JEQ, HIGH(test->value), (Pair){ low, to.no });

        if (jump != BPF_JEQ)
                (void) branch(code, BPF_JGT, HIGH(test->value), (Pair){ to.yes, same });
        return load(code, half_offset(test, true));
}

static Label masked(Code *code, const CodeTest *test, bool high, Pair to) {
        uint32_t mask = high ? HIGH(test->value) : LOW(test->value);
        uint32_t want = high ? HIGH(test->value_two) : LOW(test->value_two);

        (void) branch(code, BPF_JEQ, want, to);
        (void) emit(code, (struct sock_filter) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
        return load(code, half_offset(test, high));
}

static Label compare_masked(Code *code, const CodeTest *test, Pair to) {
        Label low = masked(code, test, false, to);

        return test->width < 64 || HIGH(test->value) == 0
                       ? low
                       : masked(code, test, true, (Pair){ low, to.no });
}

/* The bits of an int that a 64-bit value stands for: itself, or a negative one with its sign extended. */
static bool narrow(uint64_t value, uint32_t width, uint64_t *ret) {
        uint64_t most = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
        bool negative = width == 32 && value >> 31 == UINT64_MAX >> 31;

        *ret = value & most;
        return value <= most || negative;
}

/* Returns: where the test begins. A value that the kernel can never see needs no test. */
static Label compare(Code *code, const CodeTest *test, Pair to) {
        CodeTest cut = *test;
        Label (*how)(Code *, const CodeTest *, uint16_t, Pair) =
                test->width == 64 ? compare_wide : compare_narrow;
        bool fits = narrow(test->value, test->width, &cut.value);
        Pair swapped = { to.no, to.yes };

        switch (test->op) {
        case SECCOMP_OP_MASKED_EQ:
                fits = narrow(test->value_two, test->width, &cut.value_two);
                return fits && (cut.value_two & ~cut.value) == 0 ? compare_masked(code, &cut, to)
                                                                 : to.no;
        case SECCOMP_OP_EQ:
                return fits ? how(code, &cut, BPF_JEQ, to) : to.no;
        case SECCOMP_OP_NE:
                return fits ? how(code, &cut, BPF_JEQ, swapped) : to.yes;
        case SECCOMP_OP_GT:
                return fits ? how(code, &cut, BPF_JGT, to) : to.no;
        case SECCOMP_OP_GE:
                return fits ? how(code, &cut, BPF_JGE, to) : to.no;
        case SECCOMP_OP_LT:
                return fits ? how(code, &cut, BPF_JGE, swapped) : to.yes;
        default: /* LE: code_build() has looked */
                return fits ? how(code, &cut, BPF_JGT, swapped) : to.yes;
        }
}

/* ---- one call, then all --------------------------------------------------------------------------- */

/* The rules of one number, tried in order; what none matches goes on to the fallback. */
static Label body(Code *code, const CodePlan *plan, unsigned first, unsigned n) {
        Label next = answer(code, plan->fallback);

        for (unsigned i = first + n; i > first; i--) {
                const CodeRule *rule = &plan->rules[i - 1];
                Label at = answer(code, rule->answer);

                for (unsigned k = rule->n_tests; k > 0; k--)
                        at = compare(code, &rule->tests[k - 1], (Pair){ at, next });
                next = at;
        }
        return next;
}

static void push_range(Ranges *ranges, Range range) {
        const Range *last;

        if (ranges->n > 0 && ranges->items[ranges->n - 1].start == range.start)
                ranges->n--;
        last = ranges->n > 0 ? &ranges->items[ranges->n - 1] : NULL;
        if (last && !last->has_body && !range.has_body && last->answer == range.answer)
                return;
        if (ranges->n < RANGES_MAX)
                ranges->items[ranges->n++] = range;
}

static unsigned same_number(const CodePlan *plan, unsigned first) {
        unsigned n = 1;

        while (first + n < plan->n_rules &&
               plan->rules[first + n].number == plan->rules[first].number)
                n++;
        return n;
}

static int find_ranges(const CodePlan *plan, Code *code, Ranges *ranges) {
        push_range(ranges, (Range){ .start = 0, .answer = plan->fallback });
        for (unsigned i = 0, n; i < plan->n_rules; i += n) {
                const CodeRule *rule = &plan->rules[i];
                Range range = { .start = rule->number, .answer = rule->answer };

                n = same_number(plan, i);
                range.has_body = rule->n_tests > 0;
                if (range.has_body)
                        range.body = body(code, plan, i, n);
                push_range(ranges, range);
                push_range(ranges, (Range){ .start = rule->number + 1, .answer = plan->fallback });
        }
        if (plan->n_rules > 0 && plan->rules[plan->n_rules - 1].number > plan->last_call)
                return -EINVAL;
        if (plan->last_call != UINT32_MAX)
                push_range(ranges, (Range){ .start = plan->last_call + 1,
                                            .answer = SECCOMP_RET_ERRNO | ENOSYS });
        return ranges->n < RANGES_MAX && code->n <= CODE_MAX ? 0 : -E2BIG;
}

/* Depth is the logarithm of the number of ranges. */
static Label search(Code *code, const Ranges *ranges, unsigned from, unsigned to) {
        unsigned middle = from + (to - from) / 2;
        const Range *range = &ranges->items[from];
        Label above, below;

        if (to - from == 1)
                return range->has_body ? range->body : answer(code, range->answer);
        above = search(code, ranges, middle, to);
        below = search(code, ranges, from, middle);
        return branch(code, BPF_JGE, ranges->items[middle].start, (Pair){ above, below });
}

static void write_head(const CodePlan *plan, Code *code, Label calls) {
        Label kill, start = calls;

        if (plan->x32_bit) {
                kill = answer(code, SECCOMP_RET_KILL_PROCESS);
                start = branch(code, BPF_JGE, plan->x32_bit, (Pair){ kill, start });
        }
        start = branch(code, BPF_JEQ, NO_CALL,
                       (Pair){ answer(code, SECCOMP_RET_ERRNO | ENOSYS), start });
        (void) start; /* the load falls through to it: it was written last */
        start = load(code, offsetof(struct seccomp_data, nr));
        kill = answer(code, SECCOMP_RET_KILL_PROCESS);
        (void) branch(code, BPF_JEQ, plan->arch, (Pair){ start, kill });
        (void) load(code, offsetof(struct seccomp_data, arch));
}

static int check(const CodePlan *plan) {
        for (unsigned i = 0; i < plan->n_rules; i++) {
                const CodeRule *rule = &plan->rules[i];

                if (rule->n_tests > CODE_TESTS)
                        return -EINVAL;
                for (unsigned k = 0; k < rule->n_tests; k++) {
                        const CodeTest *test = &rule->tests[k];

                        if (test->index > 5 || test->op < SECCOMP_OP_NE ||
                            test->op > SECCOMP_OP_MASKED_EQ ||
                            (test->width != 16 && test->width != 32 && test->width != 64))
                                return -EINVAL;
                }
        }
        return 0;
}

int code_build(const CodePlan *plan, Code *ret) {
        autofree Ranges *ranges = calloc(1, sizeof(Ranges));
        int r = check(plan);

        if (!ranges)
                return -ENOMEM;
        if (r < 0)
                return r;
        ret->n = 0;
        r = find_ranges(plan, ret, ranges);
        if (r < 0)
                return r;
        write_head(plan, ret, search(ret, ranges, 0, ranges->n));
        return ret->n <= CODE_MAX ? 0 : -E2BIG;
}

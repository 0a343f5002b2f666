#pragma once
/*
 * seccomp-code: sorted rules to the instructions of a filter. It knows numbers, not names.
 */
#include <linux/filter.h>
#include <stdint.h>

#define CODE_MAX   BPF_MAXINSNS
#define CODE_TESTS 6

typedef struct CodeTest {
        uint32_t index;
        uint32_t op;    /* SeccompOp */
        uint32_t width; /* bits that the kernel takes: 16, 32, 64 */
        uint64_t value; /* MASKED_EQ: the mask */
        uint64_t value_two;
} CodeTest;

typedef struct CodeRule {
        uint32_t number;
        uint32_t answer; /* SECCOMP_RET_* with its data */
        uint32_t n_tests;
        CodeTest tests[CODE_TESTS];
} CodeRule;

typedef struct CodePlan {
        uint32_t arch;     /* AUDIT_ARCH_* */
        uint32_t x32_bit;  /* numbers from here on are of another ABI and kill; 0: there are none */
        uint32_t fallback; /* SECCOMP_RET_* for a call without a rule */
        uint32_t last_call;    /* higher numbers answer ENOSYS; UINT32_MAX: they get the fallback */
        const CodeRule *rules; /* borrowed; by number, then in the order in which they are tried */
        unsigned n_rules;
} CodePlan;

typedef struct Code {
        struct sock_filter backward[CODE_MAX + 1]; /* the last instruction first */
        unsigned n;
} Code;

/**
 * code_build() - write the instructions of @plan, the last one first
 *
 * Returns: 0, -E2BIG above CODE_MAX instructions, -EINVAL for an unknown comparison, argument or width.
 */
int code_build(const CodePlan *plan, Code *ret);

#pragma once
/*
 * seccomp: from a profile in our own structs to a compiled filter in a sealed memfd. Used by the front
 * (policies) and by the build's generator (the constant filters); no JSON here, and no other process
 * links libseccomp.
 */
#include <stdint.h>

#include "base/error.h"

typedef enum SeccompAction {
        SECCOMP_DO_ALLOW = 1,
        SECCOMP_DO_LOG,
        SECCOMP_DO_ERRNO,
        SECCOMP_DO_TRAP,
        SECCOMP_DO_KILL
} SeccompAction; /* in order: the strictest last */
typedef enum SeccompOp {
        SECCOMP_OP_NE = 1,
        SECCOMP_OP_LT,
        SECCOMP_OP_LE,
        SECCOMP_OP_EQ,
        SECCOMP_OP_GE,
        SECCOMP_OP_GT,
        SECCOMP_OP_MASKED_EQ
} SeccompOp;

typedef struct SeccompArg {
        uint32_t index;
        uint32_t op;
        uint64_t value;     /* MASKED_EQ: the mask */
        uint64_t value_two; /* MASKED_EQ: what the masked argument must be */
} SeccompArg;

typedef struct SeccompRule {
        const char *const *names; /* borrowed */
        unsigned n_names;
        uint32_t action;
        uint32_t errno_ret;
        unsigned n_args; /* conditions that must all hold, of one argument or of several */
        SeccompArg args[6];
} SeccompRule;

typedef struct SeccompProfile {
        uint32_t default_action;
        uint32_t default_errno;
        const SeccompRule *rules; /* borrowed */
        unsigned n_rules;
        uint32_t arch; /* AUDIT_ARCH_X86_64 or AUDIT_ARCH_AARCH64; 0: that of this build */
        uint32_t
                last_call; /* numbers above it answer ENOSYS; 0: above the highest that a rule names */
} SeccompProfile;

/**
 * seccomp_compile() - profile to filter: one ABI, foreign ones killed, binary tree, clone3 ENOSYS
 * @ret_fd:    sealed memfd of struct sock_filter[], owned by the caller
 * @ret_notes: what could not be done as written, a line each without a final newline, fresh memory
 *             ("" for nothing); may be NULL
 *
 * Of all rules that match a call the strictest decides, of two that are as strict the first. Of an argument
 * only the bits count that the kernel takes (seccomp-widths.h).
 *
 * Returns: 0 or negative errno (-EINVAL: an unknown action, comparison or architecture; -E2BIG: more
 *          than the kernel's 4096 instructions).
 */
int seccomp_compile(const SeccompProfile *profile, int *ret_fd, char **ret_notes, Error *err);

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
        SECCOMP_DO_ERRNO,
        SECCOMP_DO_KILL,
        SECCOMP_DO_LOG
} SeccompAction;
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
        unsigned n_args;
        SeccompArg args[6];
} SeccompRule;

typedef struct SeccompProfile {
        uint32_t default_action;
        uint32_t default_errno;
        const SeccompRule *rules; /* borrowed */
        unsigned n_rules;
} SeccompProfile;

/**
 * seccomp_compile() - profile to filter: native ABI only, foreign ABIs killed, binary tree, clone3 ENOSYS
 * @ret_fd:      sealed memfd of struct sock_filter[], owned by the caller
 * @ret_unknown: comma-separated names this kernel's table does not know, fresh memory, may be NULL
 *
 * Returns: 0 or negative errno.
 */
int seccomp_compile(const SeccompProfile *profile, int *ret_fd, char **ret_unknown, Error *err);

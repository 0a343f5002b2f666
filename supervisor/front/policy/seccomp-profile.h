#pragma once
/*
 * seccomp-profile: seccomp profiles in the JSON form of the OCI runtime specification and in the longer form
 * of container engines, to a compiled filter. warder-seccomp(5) is the contract.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct SeccompFilter {
        int fd;        /* sealed memfd of struct sock_filter[], owned */
        char *notices; /* what is not as the profile says, a line each, "" for nothing; owned */
} SeccompFilter;

#define SECCOMP_FILTER_EMPTY ((SeccompFilter){ .fd = -EBADF })

/**
 * seccomp_profile_compile() - JSON text to a filter
 * @text: the profile, comments allowed
 * @arch: AUDIT_ARCH_X86_64 or AUDIT_ARCH_AARCH64; 0: that of this build
 *
 * A command has no capability: rules that "include" one do not apply, those that "exclude" one do. What
 * cannot be done as written is done in the stricter way and said in the notices.
 *
 * Returns: 0 or negative errno (-EINVAL: what is wrong in the profile, and where).
 */
int seccomp_profile_compile(const char *text, size_t n, uint32_t arch, SeccompFilter *ret,
                            Error *err);

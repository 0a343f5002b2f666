#pragma once
/*
 * seccomp-profile: seccomp profiles in the JSON form of the OCI runtime specification, as container
 * engines write them, to a compiled filter.
 */
#include <stddef.h>

#include "base/error.h"

/**
 * seccomp_profile_compile() - JSON text to a sealed memfd of struct sock_filter[]
 * @text:   the profile, comments allowed
 * @ret_fd: owned by the caller
 *
 * A command has no capability: rules that "includes" one do not apply, those that "excludes" one do.
 * Actions TRACE, TRAP and NOTIFY are refused: nobody listens.
 *
 * Returns: 0 or negative errno (-EINVAL: what is wrong in the profile).
 */
int seccomp_profile_compile(const char *text, size_t n, int *ret_fd, Error *err);

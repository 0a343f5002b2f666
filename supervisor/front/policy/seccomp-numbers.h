#pragma once
/*
 * seccomp-numbers: whole 64-bit numbers in JSON. A JSON number becomes a double, which is exact up to 2^53; a
 * mask or a -1 of a seccomp profile may need all 64 bits.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

/**
 * seccomp_numbers_quote() - the same text with each integer of 16 digits or more as a string
 * @ret: fresh memory of the caller, ended by a 0 that is not counted
 *
 * Strings and comments are left as they are.
 *
 * Returns: 0 or -ENOMEM.
 */
int seccomp_numbers_quote(const char *text, size_t n, char **ret, size_t *ret_n, Error *err);
/**
 * seccomp_numbers_get() - a member that is an integer from -2^53 to 2^64-1
 *
 * A negative one is what C makes of it in 64 bits.
 *
 * Returns: 0, -ENOENT absent or null, -EINVAL anything else.
 */
int seccomp_numbers_get(const cJSON *object, const char *name, uint64_t *ret);

#pragma once
/*
 * retry: when an HTTP request may be sent again, for the agent and for egress: which statuses are worth
 * it, what Retry-After says, and how long to wait where it says nothing.
 */
#include <stdbool.h>
#include <stdint.h>

#define RETRY_WAIT_MAX_USEC (UINT64_C(120) * 1000000) /* who asks for more gets no further try */

/** retry_status() - may the same request succeed later: 408, 409, 425, 429 and 5xx but 501 and 505 */
bool retry_status(long status);

/**
 * retry_after() - the value of a Retry-After header
 * @text:     seconds, with or without a fraction, or an HTTP date (RFC 9110, its preferred form)
 * @now_usec: wall clock, microseconds since 1970
 * @ret_usec: how long to wait; 0 for a date that has passed
 *
 * Returns: 0, or -EINVAL where it is neither (ignore the header then).
 */
int retry_after(const char *text, uint64_t now_usec, uint64_t *ret_usec);

/**
 * retry_backoff() - 0.5 s * 2^@tries, at most 8 s, less up to a quarter by chance
 * @tries: how many were made, less one
 *
 * The chance keeps many tasks that failed together from coming back together.
 */
uint64_t retry_backoff(unsigned tries);

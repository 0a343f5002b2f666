#pragma once
/*
 * uncounted: memory that the jail's connections hold and that the kernel charges to no group.
 */
#include <stdint.h>

/**
 * uncounted_bytes() - what connections hold that nobody has accepted
 * @ret_seen:   bytes of those that the kernel lists
 * @ret_hidden: the most that those can hold which it does not list: the peer reset them
 *
 * A jail can have made a great many of them: a few milliseconds for ten thousand.
 *
 * Returns: 0, or negative errno (-ENOENT: a kernel without tcp_diag).
 * Source:  sock_diag(7), inet_csk_accept() and tcp_reset() of Linux 6.1 to 6.18.
 */
int uncounted_bytes(uint64_t *ret_seen, uint64_t *ret_hidden);

#pragma once
/*
 * uncounted: memory that the jail's sockets hold and that the kernel charges to no group.
 */
#include <stdint.h>

typedef struct Uncounted {
        uint64_t seen; /* bytes in connections that nobody has accepted, of those that are listed */
        uint64_t hidden;  /* the most that those can hold which are not: the peer reset them */
        uint64_t counted; /* bytes in the queues of all other connections, which are charged */
        uint64_t
                pinned; /* the most that all sockets can hold by parts of larger pieces of memory, or hidden */
} Uncounted;

/**
 * uncounted_read() - ask the kernel
 *
 * A jail can have made a great many of them: a few milliseconds for ten thousand.
 *
 * Returns: 0, or negative errno (-ENOENT: a kernel without tcp_diag).
 * Source:  sock_diag(7), inet_csk_accept() and tcp_reset() of Linux 6.1 to 6.18.
 */
int uncounted_read(Uncounted *ret);

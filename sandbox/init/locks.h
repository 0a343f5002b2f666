#pragma once
/*
 * locks: how many record locks the jail's processes hold, which the kernel charges to no group.
 */
#include <stdint.h>

/**
 * locks_count() - count the jail's locks of files
 * @fd: /proc/locks of a procfs of the jail's own process ids: it lists what holders there have made
 *
 * Holds up whoever locks on this host meanwhile: up to 0.1 s where there are millions of locks.
 *
 * Returns: how many, at most INIT_LOCKS_MAX; 0 where they cannot be read.
 * Source:  locks_show() of Linux 6.1 to 6.18.
 */
uint64_t locks_count(int fd);

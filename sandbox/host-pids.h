#pragma once
/*
 * host-pids: how many processes there can be.
 */
#include <stdint.h>

/**
 * host_pids() - processes and threads that this host can have at once
 *
 * Returns: the smaller one of two settings; where neither can be read, what a kernel without a word about it has.
 * Source:  kernel.pid_max, kernel.threads-max.
 */
uint32_t host_pids(void);

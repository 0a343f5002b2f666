#pragma once
/*
 * lockdown: the last line of an unprivileged process's start-up. Ids, capabilities and no_new_privs were
 * set by the monitor before exec; here the process closes what it does not keep and loads its filter.
 */
#include "base/error.h"

/**
 * lock_down() - close every descriptor above @keep_max and load the filter
 * @keep_max:  highest descriptor that stays open
 * @filter_fd: sealed memfd of struct sock_filter[], consumed; negative: none was handed in
 *
 * Sets PR_SET_DUMPABLE 0 and no_new_privs. Fails closed: the caller ends on an error.
 *
 * Returns: 0 or negative errno (-EINVAL: no whole filter, or unsealed).
 * Source:  seccomp(2) SECCOMP_SET_MODE_FILTER, close_range(2).
 */
int lock_down(int keep_max, int filter_fd, Error *err);

/** filter_load() - load struct sock_filter[] of a sealed memfd (borrowed) into this thread; needs no_new_privs */
int filter_load(int filter_fd, Error *err);

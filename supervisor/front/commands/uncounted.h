#pragma once
/*
 * uncounted: no jail holds more memory in connections that nobody accepts, which the kernel charges to no
 * group, than it may hold in all that is charged. While jails are alive and the host's TCP needs much memory.
 */
#include "base/owned.h"
#include "supervisor/front/front.h"

/**
 * uncounted_new() - not watching yet
 * @sockstat: /proc/net/sockstat, borrowed, outlives us; -EBADF: nothing is ever watched
 * @tcp_mem:  /proc/sys/net/ipv4/tcp_mem, likewise; -EBADF: a share of the host's memory stands for it
 *
 * Returns: 0 or negative errno.
 */
int uncounted_new(Front *front, int sockstat, int tcp_mem, Uncounted **ret, Error *err);
/** uncounted_free() - while no jail is left. Returns: NULL */
Uncounted *uncounted_free(Uncounted *uncounted);

DEFINE_SCOPED(Uncounted *, uncounted_free);

/** uncounted_watch() - a jail is ready: look from now on, until none is left */
void uncounted_watch(Uncounted *uncounted);

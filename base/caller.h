#pragma once
/*
 * caller: who is behind a connection, when the one that hands it to us may lie.
 */
#include <sys/socket.h>
#include <sys/types.h>

#include "base/error.h"

/**
 * caller_read() - credentials of who connected
 * @conn:     said to be a connection to @listener
 * @listener: our listening Unix socket, bound to a path
 *
 * Needs CAP_NET_ADMIN (SIOCUNIXFILE).
 *
 * Returns: 0, or -EPERM where @conn was not accepted on @listener.
 * Source:  SO_PEERCRED, unix(7); SIOCUNIXFILE, Linux >= 4.10.
 */
int caller_read(int conn, int listener, struct ucred *ret, Error *err);

/** caller_process() - pidfd of the process that connected, owned by the caller; negative: it has ended */
int caller_process(int conn, pid_t pid);

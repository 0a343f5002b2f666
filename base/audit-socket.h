#pragma once
/*
 * audit-socket: the kernel's word on whom a seccomp filter killed, as a socket: opened by who may, read by who
 * may not.
 */
#include "base/error.h"

/**
 * audit_socket_open() - a netlink socket that gets the kernel's seccomp records and nothing else, for good
 *
 * Needs CAP_AUDIT_READ; reading needs nothing.
 *
 * Returns: descriptor owned by the caller, or negative errno (-EPERM: not allowed, -EPROTONOSUPPORT: the
 *          kernel has no audit, -ECONNREFUSED: not in this network namespace).
 * Source:  linux/audit.h, AUDIT_NLGRP_READLOG, Linux >= 3.16.
 */
int audit_socket_open(Error *err);

/**
 * audit_socket_choose() - the same of a socket that joined already, as systemd's (ListenNetlink=audit 1)
 * @fd: borrowed; chosen once, it stays so, also for who is handed it later
 *
 * Returns: 0 or negative errno.
 */
int audit_socket_choose(int fd, Error *err);

#pragma once
/*
 * connect: a connection in the jail's own network, carried between two pipes by a child that executes nothing: so no
 * socket of a jail ever leaves it, and what carries it has the limits of a command and ends with its jail.
 */

/**
 * connect_run() - in a command's child, as the command's user, with its limits and filters
 * @port: of 127.0.0.1, else of ::1; what comes from stdin goes there, what comes from there to stdout
 *
 * One byte on stderr says when it stands (0), or the errno for which it does not; then that is closed.
 *
 * Returns: the exit code: 0 there was a connection, and it has ended; 1 there was none; 2 no such port.
 */
int connect_run(const char *port);

#pragma once
/*
 * stdio: what the command's own stdin, stdout and stderr are, and how a jail may have them: a pipe or a
 * regular file as it is, /dev/null by name, anything else through a relay.
 */
#include "cli/link.h"

typedef struct Stdio {
        const char *words[3]; /* "fd", "null", "capture" */
        int fds[3];           /* to pass, in order; borrowed or owned, see own */
        bool own[3];
        unsigned n_fds;
} Stdio;

/**
 * stdio_prepare() - look at descriptors 0 to 2; relays go to @link where they are needed
 * @capture: stdout and stderr are captured by the supervisor instead (--json)
 *
 * Returns: 0 or negative errno. stdio_deinit() after they were sent.
 */
int stdio_prepare(Link *link, bool capture, Stdio *ret, Error *err);

/** stdio_pipe() - a pipe for a command, which may open its end again by /dev/stdin and its like. Returns: 0 or negative errno */
int stdio_pipe(int ret_ends[2], Error *err);

/** stdio_terminal() - all three are one terminal, a pty's @slave (consumed) */
void stdio_terminal(int slave, Stdio *ret);

/** stdio_deinit() - close our copies of the command's ends, so that pipes end when the command does */
void stdio_deinit(Stdio *stdio);

/** stdio_may_pass() - may a jail have it as it is */
bool stdio_may_pass(int fd);

/** stdio_source() - a descriptor to read as one that may be passed: itself, or a pipe that @link feeds.
 * Returns: 0 and a descriptor owned by the caller, or negative errno */
int stdio_source(Link *link, int fd, int *ret_fd, Error *err);

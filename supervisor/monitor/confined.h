#pragma once
/*
 * confined: start a program of ours without privilege, and hear of its end.
 */
#include "supervisor/monitor/monitor.h"

#define CONFINED_FDS_MAX 24

typedef struct ConfinedSpec { /* all borrowed for the call but the static ones */
        const char *program;  /* file in the libexec directory, static */
        uint32_t uid;         /* never 0 */
        uint32_t gid;
        int fds[CONFINED_FDS_MAX]; /* become 3, 4, … */
        unsigned n_fds;
        ConfinedEndedFn ended;
} ConfinedSpec;

/**
 * confined_start() - fork and execute with that id, no group, no capability, no_new_privs
 * @confined: not running; its monitor is set
 *
 * 0 and 1 are /dev/null, 2 a pipe whose lines go to our log; nothing else is open, the environment is
 * clean, and the death of the monitor kills it.
 *
 * Returns: 0 or negative errno (-ENOENT: the program is not installed).
 */
int confined_start(Confined *confined, const ConfinedSpec *spec, Error *err);

/**
 * confined_end() - see to it that it ends, in bounded time
 * @signal: SIGTERM: it may finish its own business; 0: it is ending by itself; SIGKILL
 *
 * What is not gone after three seconds is killed; what the kernel then keeps (a thread that waits in close(2)
 * for the server of a file, which no signal ends) is given up: @ended is called with -1, and it is reaped
 * whenever it comes. Nothing if it does not run.
 */
void confined_end(Confined *confined, int signal);

/** confined_deinit() - kill, wait for at most two seconds, forget */
void confined_deinit(Confined *confined);

/** confined_open() - a file below one of our directories, O_CLOEXEC. Returns: descriptor or negative errno */
int confined_open(const char *dir, const char *name, int flags, Error *err);

/** confined_program() - one of our programs, by name. Returns: descriptor or negative errno (-ENOENT) */
int confined_program(const Monitor *monitor, const char *name, Error *err);

/** confined_pair() - a SEQPACKET pair with room for a burst of answers; both owned by the caller */
int confined_pair(int *ret_ours, int *ret_theirs, Error *err);

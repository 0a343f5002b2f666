#pragma once
/*
 * pty: a terminal of its own for a command: a pair of ours between the command and the user's terminal, so
 * that no jail ever holds a descriptor of the latter, and the user's terminal raw for as long.
 */
#include <stdbool.h>
#include <termios.h>

#include "base/error.h"

typedef struct Pty {
        int master;   /* owned; -EBADF: hung up, or none */
        int slave;    /* owned; -EBADF: given away */
        int terminal; /* borrowed: the user's, our standard input; -EBADF: none */
        struct termios before;
        bool is_raw;
} Pty;

#define PTY_EMPTY ((Pty){ .master = -EBADF, .slave = -EBADF, .terminal = -EBADF })

/** pty_pair() - the two ends of a new terminal, owned by the caller. Returns: 0 or negative errno */
int pty_pair(int *ret_master, int *ret_slave, Error *err);

/**
 * pty_open() - a pair with size and settings of the terminal that is our standard input
 *
 * Returns: 0; -ENOTTY with a sentence where standard input is no terminal; or negative errno.
 */
int pty_open(Pty *ret, Error *err);

/** pty_borrow() - the user's terminal alone, where standard input is one: for pty_raw() and pty_restore() */
void pty_borrow(Pty *ret);

/** pty_raw() - every key goes to the command from now on, Ctrl-C too. Stopped by the kernel in the background */
void pty_raw(Pty *pty);

/**
 * pty_restore() - the user's terminal as it was
 *
 * What was typed and not read is thrown away: it may be the terminal's own answer to something that the
 * command wrote, which a shell would take for a command. Nothing is done where another job has the terminal.
 */
void pty_restore(Pty *pty);

/** pty_resize() - the command's terminal gets the size of the user's; its foreground job hears SIGWINCH */
void pty_resize(const Pty *pty);

/** pty_deinit() - restore, close. Where the command still runs, it is hung up */
void pty_deinit(Pty *pty);

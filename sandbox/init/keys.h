#pragma once
/*
 * keys: a terminal that init made for a command, and what is typed at it by who is attached: bytes from a pipe of
 * theirs to the terminal's other end, which is also the command's captured stream.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/wire.h"

#define KEYS_BYTES 1024

typedef struct Keys {
        int fd;            /* owned: read end of the pipe; -EBADF: nobody is attached */
        bool terminal;     /* the command has one */
        size_t start, end; /* what was read and the terminal has not taken yet */
        char *bytes; /* owned: KEYS_BYTES, from the first attach on: most commands need none */
} Keys;

#define KEYS_EMPTY ((Keys){ .fd = -EBADF })

/**
 * keys_terminal() - make a terminal in the jail's own devpts, as the user whose ids are set
 * @begins:    its size, and modes as somebody's own terminal has them
 * @ret_slave: the command's end, owned by the caller
 *
 * Returns: our end, owned by the caller, non-blocking; or negative errno.
 */
int keys_terminal(const InitTerminal *begins, int *ret_slave);

/** keys_attach() - a pipe for what is typed; who was attached is not any more. Returns: its write end, or negative errno */
int keys_attach(Keys *keys);

/** keys_wait() - what to poll for: @ret_fd (-EBADF: nothing) and events */
void keys_wait(const Keys *keys, int master, int *ret_fd, short *ret_events);

/** keys_step() - after poll: one read or one write. Ends where the other side has gone */
void keys_step(Keys *keys, int master);

/** keys_size() - the size of the terminal, by either end; its foreground job hears of a change */
int keys_size(int terminal, uint32_t rows, uint32_t columns);

/** keys_end() - close it */
void keys_end(Keys *keys);

#pragma once
/*
 * relay: bytes carried between the caller's own stdio and a pipe of ours, where the caller's descriptor
 * (a terminal, a socket) is none that a jail may be given.
 */
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define RELAY_BYTES 4096 /* PIPE_BUF: a write of this size after POLLOUT does not block on a pipe */

typedef struct Relay {
        int from; /* -EBADF: ended */
        int to;
        bool owns_from; /* our pipe's read end: output of the command */
        bool owns_to;   /* our pipe's write end: input of the command */
        bool is_input;
        char bytes[RELAY_BYTES];
        size_t start, end; /* what was read and not yet written */
} Relay;

/** relay_output() - from our pipe's read end @from (consumed) to the caller's @to (borrowed) */
void relay_output(Relay *relay, int from, int to);

/** relay_input() - from the caller's @from (borrowed) to our pipe's write end @to (consumed) */
void relay_input(Relay *relay, int from, int to);

/** relay_deinit() - close what is owned; the command sees the end of its input, or a broken pipe */
void relay_deinit(Relay *relay);

/** relay_want() - what to poll for; fd is negative where it ended */
void relay_want(const Relay *relay, struct pollfd *ret_poll);

/** relay_step() - after poll said ready: one read or one write. Ends the relay where either side did */
void relay_step(Relay *relay);

/** relay_has_bytes() - something was read that is not yet written */
bool relay_has_bytes(const Relay *relay);

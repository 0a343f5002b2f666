#pragma once
/*
 * carry: bytes of the connection between our stdin and stdout, which need not be one descriptor, and the one
 * socket that libssh wants. Both ends are non-blocking.
 */
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define CARRY_BYTES 65536

typedef struct Carry {
        int from, to;      /* borrowed; @from -EBADF: ended */
        bool to_is_socket; /* the end is passed on by shutdown(2) */
        size_t start, end;
        char bytes[CARRY_BYTES];
} Carry;

/** carry_want() - what to poll for; its descriptor is negative where nothing is to be carried any more */
struct pollfd carry_want(const Carry *carry);

/** carry_step() - as much as goes without waiting */
void carry_step(Carry *carry);

/** carry_has_bytes() - something was read that is not yet written */
bool carry_has_bytes(const Carry *carry);

#pragma once
/*
 * socket: the TCP socket of a client, with a buffer each way. Nothing here blocks, and nothing here knows what the bytes
 * mean. A client that is gone stays gone; who owns the socket closes it when it may.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "base/buf.h"

typedef struct Socket {
        int fd;                  /* owned */
        sd_event_source *source; /* owned */
        Buf in, out;
        uint64_t moved; /* monotonic: the present request began to come, or bytes went out */
        size_t thrown;  /* bytes of a refused request */
        bool unread;    /* more of it comes; nothing goes out behind what waits */
        bool gone;      /* the client went away or does not read */
} Socket;

/** socket_init_consume() - @in_max, @out_max: bytes that the buffers may hold; socket_deinit() closes @fd */
void socket_init_consume(Socket *socket, int fd, size_t in_max, size_t out_max);
/** socket_deinit() - close it */
void socket_deinit(Socket *socket);
/** socket_watch() - call @on_io for what comes. Returns: 0 or negative errno */
int socket_watch(Socket *socket, sd_event *event, sd_event_io_handler_t on_io, void *userdata);

/** socket_expect() - from now on @on_io hears of room for what waits, and of input where @input or `unread` */
void socket_expect(Socket *socket, bool input);
/** socket_begin_waiting() - before bytes are put into `out`: an answer waits for the client, where none did */
void socket_begin_waiting(Socket *socket);
/** socket_send() - of what waits as much as the client takes now */
void socket_send(Socket *socket);
/** socket_read() - at most @n bytes. Returns: as buf_read() */
ssize_t socket_read(Socket *socket, size_t n);
/** socket_throw_away() - what comes of a request that was refused; after @most bytes of it the client is gone */
void socket_throw_away(Socket *socket, size_t most);

#pragma once
/*
 * packets: one SEQPACKET socket on the front's loop: whole messages in, whole messages out, with
 * descriptors. What the socket does not take at once waits in a bounded queue, in order. Used for the
 * monitor and for every jail's init.
 */
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "base/error.h"
#include "base/owned.h"
#include "base/rpc.h"

#define PACKETS_WAITING_MAX 256  /* messages that may wait for a peer that does not read */
#define PACKETS_IN_MAX      2048 /* bytes of one message that comes in */

typedef struct Packets Packets;

typedef struct PacketsHandler {
        const char *name; /* of the event source, a constant */
        /* one message; @fds are closed afterwards where the receiver left them >= 0 */
        void (*packet)(const void *bytes, size_t n, int *fds, unsigned n_fds, void *userdata);
        /* the peer closed, or broke the rules (@err); nothing more comes. May free the Packets */
        void (*end)(const Error *err, void *userdata);
        void *userdata;
        RpcDoor door; /* for a peer that is not trusted; what it keeps out is -EBADF in @fds */
} PacketsHandler;

/** packets_new_consume() - over @fd, made non-blocking. Returns: 0 or negative errno (then @fd is closed) */
int packets_new_consume(sd_event *event, int fd, const PacketsHandler *handler, Packets **ret,
                        Error *err);
/** packets_free() - close it; what waits is dropped. Returns: NULL */
Packets *packets_free(Packets *packets);
DEFINE_SCOPED(Packets *, packets_free);

/** packets_send() - one message; descriptors are borrowed. Returns: 0, -ENOBUFS (too much waits), negative errno */
int packets_send(Packets *packets, const void *bytes, size_t n, const int *fds, unsigned n_fds,
                 Error *err);

/** packets_sender() - pid of who sent the message that is being handled; 0: the kernel does not say */
int32_t packets_sender(const Packets *packets);

/** packets_drain() - hand on what has already come, without waiting for the loop */
void packets_drain(Packets *packets);

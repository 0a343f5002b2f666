/*
 * packets: see packets.h.
 *
 * One message is taken for each turn of the loop: a handler may free the jail whose socket this is, and
 * the socket is looked at again anyway. packets_drain() is the exception, for an owner that is about to
 * let go: its handlers must not free the Packets.
 */
#include "supervisor/front/packets.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/fds.h"

typedef struct Waiting Waiting; /* a message that the socket has not taken */

struct Waiting {
        Waiting *next;
        unsigned n_fds;
        int fds[FDS_MAX]; /* owned */
        size_t n;
        char bytes[];
};

struct Packets {
        int fd;         /* owned */
        int32_t sender; /* of the message at hand */
        PacketsHandler handler;
        sd_event_source *io; /* owned */
        Waiting *first;      /* owned, oldest first */
        Waiting *last;
        unsigned n_waiting;
};

static Waiting *waiting_free(Waiting *waiting) {
        if (waiting)
                fds_close(waiting->fds, waiting->n_fds);
        free(waiting);
        return NULL;
}
DEFINE_SCOPED(Waiting *, waiting_free);

static Waiting *waiting_new(const void *bytes, size_t n, const int *fds, unsigned n_fds) {
        SCOPED(waiting_free) Waiting *waiting = calloc(1, sizeof(Waiting) + n);

        if (!waiting)
                return NULL;
        waiting->n = n;
        memcpy(waiting->bytes, bytes, n);
        for (; waiting->n_fds < n_fds; waiting->n_fds++) {
                int copy = fcntl(fds[waiting->n_fds], F_DUPFD_CLOEXEC, 3);

                if (copy < 0)
                        return NULL;
                waiting->fds[waiting->n_fds] = copy;
        }
        return TAKE_PTR(waiting);
}

static void waiting_drop_first(Packets *packets) {
        Waiting *first = packets->first;

        packets->first = first->next;
        if (!packets->first)
                packets->last = NULL;
        packets->n_waiting--;
        waiting_free(first);
}

/* The socket takes it later: its peer has not read, or the kernel has no memory for it now. */
static bool is_later(ssize_t sent) {
        return sent == -EAGAIN || sent == -ENOMEM || sent == -ENOBUFS;
}

/* Returns: 0, or negative errno where the peer is gone. */
static int flush(Packets *packets) {
        while (packets->first) {
                const Waiting *first = packets->first;
                ssize_t sent =
                        fds_send(packets->fd, first->bytes, first->n, first->fds, first->n_fds);

                if (is_later(sent))
                        return 0;
                if (sent < 0)
                        return (int) sent;
                waiting_drop_first(packets);
        }
        return sd_event_source_set_io_events(packets->io, EPOLLIN);
}

static void end(Packets *packets, const Error *err) {
        sd_event_source_disable_unref(packets->io);
        packets->io = NULL;
        packets->handler.end(err, packets->handler.userdata);
}

/* Returns: 1 one message was handed on, 0 nothing is there, negative: the end, with or without @err. */
static int take_one(Packets *packets, Error *err) {
        const RpcDoor *door = &packets->handler.door;
        char bytes[PACKETS_IN_MAX];
        int fds[FDS_ROOM];
        unsigned n_fds = 0;
        ssize_t n = fds_recv_from(packets->fd, bytes, sizeof bytes, fds, &n_fds, &packets->sender);

        for (unsigned i = 0; door->admit && i < n_fds; i++)
                fds[i] = door->admit(door->userdata, door->who, fds[i]);
        if (n <= 0)
                fds_close(fds, n_fds);
        if (n == -EAGAIN || n == -EINTR)
                return 0;
        if (n == 0)
                return -ECONNRESET;
        if (n < 0)
                return error_set(err, (int) n, "receive from %s", packets->handler.name);
        packets->handler.packet(bytes, (size_t) n, fds, n_fds, packets->handler.userdata);
        fds_close(fds, n_fds);
        return 1;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Packets *packets = userdata;
        Error err = ERROR_EMPTY;
        int r;

        (void) source;
        (void) fd;
        if (revents & EPOLLOUT) {
                r = flush(packets);
                if (r < 0) {
                        error_set(&err, r, "send to %s", packets->handler.name);
                        end(packets, &err);
                        return 0;
                }
        }
        if (!(revents & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                return 0;
        r = take_one(packets, &err);
        if (r < 0)
                end(packets, err.code ? &err : NULL);
        return 0;
}

int packets_new_consume(sd_event *event, int fd, const PacketsHandler *handler, Packets **ret,
                        Error *err) {
        autoclose int owned = fd;
        SCOPED(packets_free) Packets *packets = calloc(1, sizeof(Packets));
        int r;

        if (!packets)
                return error_set(err, -ENOMEM, "watch %s", handler->name);
        packets->fd = TAKE_FD(owned);
        packets->handler = *handler;
        r = fd_set_nonblock(packets->fd, true);
        if (r < 0)
                return error_set(err, r, "make the socket of %s non-blocking", handler->name);
        r = sd_event_add_io(event, &packets->io, packets->fd, EPOLLIN, on_io, packets);
        if (r < 0)
                return error_set(err, r, "watch %s", handler->name);
        (void) sd_event_source_set_description(packets->io, handler->name);
        *ret = TAKE_PTR(packets);
        return 0;
}

Packets *packets_free(Packets *packets) {
        const RpcDoor *door;

        if (!packets)
                return NULL;
        door = &packets->handler.door;
        while (packets->first)
                waiting_drop_first(packets);
        sd_event_source_disable_unref(packets->io);
        if (packets->fd >= 0 && door->close)
                door->close(door->userdata, door->who, packets->fd);
        else if (packets->fd >= 0)
                (void) close(packets->fd);
        free(packets);
        return NULL;
}

static int enqueue(Packets *packets, const void *bytes, size_t n, const int *fds, unsigned n_fds) {
        Waiting *waiting;

        if (packets->n_waiting >= PACKETS_WAITING_MAX)
                return -ENOBUFS;
        waiting = waiting_new(bytes, n, fds, n_fds);
        if (!waiting)
                return -ENOMEM;
        if (packets->last)
                packets->last->next = waiting;
        else
                packets->first = waiting;
        packets->last = waiting;
        packets->n_waiting++;
        return sd_event_source_set_io_events(packets->io, EPOLLIN | EPOLLOUT);
}

int packets_send(Packets *packets, const void *bytes, size_t n, const int *fds, unsigned n_fds,
                 Error *err) {
        ssize_t sent = -EAGAIN;
        int r;

        if (!packets->io)
                return error_set(err, -EPIPE, "send to %s", packets->handler.name);
        if (!packets->first)
                sent = fds_send(packets->fd, bytes, n, fds, n_fds);
        if (sent >= 0)
                return 0;
        if (!is_later(sent))
                return error_set(err, (int) sent, "send to %s", packets->handler.name);
        r = enqueue(packets, bytes, n, fds, n_fds);
        if (r < 0)
                return error_set(err, r, "queue a message for %s", packets->handler.name);
        return 0;
}

int32_t packets_sender(const Packets *packets) {
        return packets->sender;
}

void packets_drain(Packets *packets) {
        if (!packets->io)
                return;
        while (take_one(packets, NULL) > 0)
                ;
}

/*
 * socket: see socket.h.
 */
#include "supervisor/egress/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"

#define KERNEL_BYTES (128 * 1024) /* of the kernel's, each way; it doubles that */

/*
 * An answer goes out in pieces (head, body, last chunk). Held back until the piece before is acknowledged, which clients
 * do after 40 ms where they have nothing to say, each would cost that. The kernel's buffers, which it would let grow to
 * several MiB, are no part of the task's share. Only time or room is lost where it is refused.
 */
static void set_options(int fd) {
        static const int on = 1, most = KERNEL_BYTES;

        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &most, sizeof(most));
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &most, sizeof(most));
}

void socket_init_consume(Socket *socket, int fd, size_t in_max, size_t out_max) {
        *socket = (Socket){ .fd = fd,
                            .in = BUF_EMPTY(in_max),
                            .out = BUF_EMPTY(out_max),
                            .moved = units_monotonic() };
        set_options(fd);
}

void socket_deinit(Socket *socket) {
        sd_event_source_disable_unref(socket->source);
        (void) close(socket->fd);
        buf_deinit(&socket->in);
        buf_deinit(&socket->out);
}

int socket_watch(Socket *socket, sd_event *event, sd_event_io_handler_t on_io, void *userdata) {
        int r = sd_event_add_io(event, &socket->source, socket->fd, EPOLLIN | EPOLLRDHUP, on_io,
                                userdata);

        return r < 0 ? r : sd_event_source_set_description(socket->source, "client");
}

void socket_expect(Socket *socket, bool input) {
        uint32_t events = EPOLLRDHUP;

        if (input || socket->unread)
                events |= EPOLLIN;
        if (socket->out.len > 0)
                events |= EPOLLOUT;
        if (sd_event_source_set_io_events(socket->source, events) < 0)
                socket->gone = true;
}

void socket_begin_waiting(Socket *socket) {
        if (socket->out.len == 0)
                socket->moved = units_monotonic();
}

void socket_send(Socket *socket) {
        while (socket->out.len > 0 && !socket->gone) {
                ssize_t n = send(socket->fd, socket->out.data, socket->out.len,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n < 0 && errno == EAGAIN)
                        break;
                if (n < 0 && errno != EINTR)
                        socket->gone = true;
                if (n <= 0)
                        continue;
                buf_drop(&socket->out, (size_t) n);
                socket->moved = units_monotonic();
        }
        if (socket->unread && socket->out.len == 0)
                (void) shutdown(socket->fd, SHUT_WR);
}

ssize_t socket_read(Socket *socket, size_t n) {
        if (socket->in.len == 0)
                socket->moved = units_monotonic();
        return buf_read(&socket->in, socket->fd, n);
}

void socket_throw_away(Socket *socket, size_t most) {
        char bytes[16 * 1024];
        ssize_t n = recv(socket->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

        if (n > 0)
                socket->thrown += (size_t) n;
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || socket->thrown > most)
                socket->gone = true;
}

/*
 * connection: reads one request at a time; the next is looked at when the answer is out.
 *
 *   READING     bytes come in; nothing is sent upstream before the request is whole and allowed
 *   WAITING     a whole request, for which there are tokens only when others of its task have ended
 *   FORWARDING  a transfer is under way; its answer goes out as it comes. Input is not read, so that a
 *               client cannot pipeline memory full; its going away ends the transfer
 *   CLOSING     a last answer goes out, then the end. A request that was refused before it was whole is read to
 *               its end and thrown away: a close before would take the answer from the client with a reset
 *
 * What a connection may hold is taken from its task's share before it is read: of a request its text twice, until
 * it is on its way, and a fixed sum for an answer. Whatever the client lets stand (half a request, an answer, nothing at
 * all) stands for the route's patience.
 *
 * A transfer's callbacks run inside of libcurl and must not free it. They only note that the client is
 * gone (`gone`); the end of the transfer, which follows, frees.
 *
 * The client's bytes are socket.h's; what a request may cost and what goes out for it is call.h's.
 */
#include "supervisor/egress/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/units.h"
#include "supervisor/egress/answer.h"
#include "supervisor/egress/body.h"
#include "supervisor/egress/call.h"
#include "supervisor/egress/reply.h"
#include "supervisor/egress/request.h"
#include "supervisor/egress/socket.h"

#define IDLE_BYTES        (REQUEST_HEAD_MAX + 8u * 1024) /* of the share: what is held in any case */
#define CALL_BYTES        (ANSWER_OUT_MAX + TRANSFER_BYTES)
#define READ_BYTES        (64u * 1024)
#define PATIENCE_ACCURACY 100000u

typedef enum ConnectionState {
        CONNECTION_READING,
        CONNECTION_WAITING,
        CONNECTION_FORWARDING,
        CONNECTION_CLOSING
} ConnectionState;

struct Connection {
        Connection *next;         /* owned by the route's list */
        Connection *next_waiting; /* of the task's share */
        Route *route;             /* borrowed */
        ConnectionState state;
        Socket socket;
        Call call;                 /* of the request under way */
        Answer answer;             /* to it */
        sd_event_source *patience; /* owned; NULL: any */
        size_t held;               /* of the task's share */
        size_t looked;             /* of the input: no head ends there */
        bool has_head;
        bool idle; /* the client let stand what it had */
};

static void stop_waiting(Connection *connection) {
        Connection **at = &connection->route->share->waiting;

        while (*at && *at != connection)
                at = &(*at)->next_waiting;
        if (*at)
                *at = connection->next_waiting;
}

Connection *connection_free(Connection *connection) {
        Connection *next = connection->next;

        call_clear(&connection->call);
        stop_waiting(connection);
        (void) call_give_back(&connection->call);
        sd_event_source_disable_unref(connection->patience);
        (void) share_hold(connection->route->share, &connection->held, 0);
        socket_deinit(&connection->socket);
        free(connection);
        return next;
}

Connection **connection_next(Connection *connection) {
        return &connection->next;
}

static void set_events(Connection *connection) {
        socket_expect(&connection->socket, connection->state == CONNECTION_READING);
}

/* Send what waits. */
static void flush(Connection *connection) {
        socket_send(&connection->socket);
        set_events(connection);
}

/* Bytes of the request under way. */
static size_t whole_of(const Connection *connection) {
        return connection->call.head.head + connection->call.head.body;
}

static bool is_whole(const Connection *connection) {
        return connection->has_head && connection->socket.in.len >= whole_of(connection);
}

static void fault(Connection *connection, int status, const char *code, const char *text) {
        socket_begin_waiting(&connection->socket);
        if (reply_fault(&connection->socket.out, status, code, text) < 0)
                connection->socket.gone = true;
        connection->socket.unread =
                connection->state == CONNECTION_READING && !is_whole(connection);
        connection->state = CONNECTION_CLOSING;
        buf_deinit(&connection->socket.in);
        flush(connection);
}

static void on_head(void *userdata, const TransferHead *head) {
        Connection *connection = userdata;

        answer_begin(&connection->answer, &connection->socket, head, connection->call.head.close);
        flush(connection);
}

static int on_body(void *userdata, const char *bytes, size_t n) {
        Connection *connection = userdata;
        int r = answer_more(&connection->answer, &connection->socket, bytes, n);

        if (r == 1)
                flush(connection);
        return connection->socket.gone ? -1 : r;
}

static void read_more(Connection *connection);
static void forward(Connection *connection);

/* The answer is out: the next request, or the end. */
static void next_request(Connection *connection) {
        call_clear(&connection->call);
        (void) share_hold(connection->route->share, &connection->held, IDLE_BYTES);
        connection->answer = (Answer){ 0 };
        connection->has_head = false;
        connection->looked = 0;
        connection->socket.moved = units_monotonic();
        connection->state = connection->call.head.close ? CONNECTION_CLOSING : CONNECTION_READING;
        if (connection->state == CONNECTION_READING)
                read_more(connection);
}

static void drop_if_over(Connection *connection) {
        if (connection->socket.gone && connection->state == CONNECTION_FORWARDING) {
                transfer_abort(connection->call.transfer, /* comes back here by on_end() */
                               connection->idle ? "the client does not read its answer"
                                                : "the client went away");
                return;
        }
        if (connection->socket.gone ||
            (connection->state == CONNECTION_CLOSING && connection->socket.out.len == 0 &&
             !connection->socket.unread))
                route_drop(connection->route, connection);
}

void connection_end(Connection *connection) {
        connection->socket.gone = true;
        drop_if_over(connection);
}

/* A call has ended: who waited for its tokens tries again, and waits again where they are still too few. */
static void wake_others(Share *share) {
        Connection *waiting = share->waiting;

        share->waiting = NULL;
        while (waiting) {
                Connection *next = waiting->next_waiting;

                waiting->state = CONNECTION_READING;
                if (!waiting->route->ending)
                        forward(waiting);
                set_events(waiting);
                drop_if_over(waiting);
                waiting = next;
        }
}

static void on_end(void *userdata, const TransferEnd *end) {
        Connection *connection = userdata;
        SCOPED(share_unref) Share *share = share_ref(connection->route->share);

        call_end(&connection->call, end);
        connection->state = CONNECTION_CLOSING;
        if (connection->socket.gone || (!end->whole && connection->answer.started)) {
                /* half an answer: the client must see that it broke */
                connection->socket.gone = true;
        } else if (!end->whole) {
                char text[ERROR_TEXT_MAX];

                (void) snprintf(text, sizeof(text), "no answer of the provider: %.400s", end->text);
                fault(connection, 502, "provider", text);
        } else {
                answer_finish(&connection->answer, &connection->socket);
                next_request(connection);
                flush(connection);
        }
        drop_if_over(connection);
        wake_others(share);
}

static const TransferEvents transfer_events = { on_head, on_body, on_end };

/* What the client sent goes nowhere: it is told, and so is the task's log, since not every client shows what it was told. */
static void refuse(Connection *connection, const RequestFault *wrong) {
        static const char probe[] =
                "HEAD "; /* some look so whether anybody is there: nothing is amiss */

        if (strncmp(connection->socket.in.data, probe, sizeof(probe) - 1) != 0)
                route_refused(connection->route, wrong->status, wrong->text);
        fault(connection, wrong->status, wrong->code, wrong->text);
}

/* The request as it came is not needed any more, but for what the client sent behind it. */
static int let_go(Connection *connection) {
        size_t whole = whole_of(connection);
        size_t n = connection->socket.in.len - whole;
        char rest[REQUEST_HEAD_MAX]; /* no more is read ahead */

        memcpy(rest, connection->socket.in.data + whole, n);
        buf_deinit(&connection->socket.in);
        connection->socket.in.max = REQUEST_HEAD_MAX;
        (void) share_hold(connection->route->share, &connection->held,
                          IDLE_BYTES + CALL_BYTES + connection->call.body.len);
        return buf_append(&connection->socket.in, rest, n);
}

static void send_request(Connection *connection) {
        Error err = ERROR_EMPTY;

        connection->state = CONNECTION_FORWARDING;
        set_events(connection);
        if (call_send(&connection->call, &transfer_events, connection, &err) < 0)
                fault(connection, 502, "provider", err.text);
}

/* Its tokens are there when other calls of its task have ended. */
static void wait_for_others(Connection *connection) {
        Share *share = connection->route->share;

        connection->state = CONNECTION_WAITING;
        connection->next_waiting = share->waiting;
        share->waiting = connection;
}

static void forward(Connection *connection) {
        Call *call = &connection->call;
        RequestFault wrong = { 0 };
        int r = call_begin(call, connection->socket.in.data + call->head.head, &wrong);

        if (r == CALL_E_WAITS)
                wait_for_others(connection);
        else if (r < 0)
                fault(connection, wrong.status, wrong.code, wrong.text);
        else if (let_go(connection) < 0)
                fault(connection, 503, "memory", "egress has no memory for this request");
        else
                send_request(connection);
        /* one that did not begin after all keeps no tokens from others */
        if (connection->state != CONNECTION_FORWARDING && call_give_back(call))
                wake_others(connection->route->share);
}

/* The head is known: is there room for what follows? */
static bool take_room(Connection *connection) {
        size_t whole = whole_of(connection);

        connection->has_head = true;
        if (share_hold(connection->route->share, &connection->held,
                       IDLE_BYTES + CALL_BYTES + 2 * connection->call.head.body + BODY_MORE_MAX)) {
                connection->socket.in.max = whole > REQUEST_HEAD_MAX ? whole : REQUEST_HEAD_MAX;
                return true;
        }
        fault(connection, 503, "memory",
              "other requests of this task, and their answers, hold all that egress has for it: "
              "try again when they are done");
        return false;
}

/* New bytes without an end of a line make no head whole. */
static bool read_head(Connection *connection) {
        const Buf *in = &connection->socket.in;
        size_t from = connection->looked;
        RequestFault wrong = { 0 };
        int r;

        connection->looked = in->len;
        if (in->len == from ||
            (in->len < REQUEST_HEAD_MAX && !memchr(in->data + from, '\n', in->len - from)))
                return false;
        r = request_parse(in->data, in->len, &connection->call.head, &wrong);
        if (r < 0)
                refuse(connection, &wrong);
        return r == 1 && take_room(connection);
}

/* Is there a whole request in what was read? */
static void look(Connection *connection) {
        if ((connection->has_head || read_head(connection)) && is_whole(connection))
                forward(connection);
}

/* As much as the present request may still need, and before its head is known as much as a head may have. */
static ssize_t read_part(Connection *connection) {
        size_t want = connection->has_head ? whole_of(connection) : REQUEST_HEAD_MAX;

        want -= connection->socket.in.len;
        return socket_read(&connection->socket, want < READ_BYTES ? want : READ_BYTES);
}

static void read_more(Connection *connection) {
        while (connection->state == CONNECTION_READING && !connection->socket.gone) {
                ssize_t n;

                look(connection);
                if (connection->state != CONNECTION_READING)
                        break;
                n = read_part(connection);
                if (n == -EAGAIN)
                        break;
                if (n <= 0)
                        connection->socket.gone = true;
        }
        set_events(connection);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Connection *connection = userdata;

        (void) source;
        (void) fd;
        if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) &&
            ((connection->state != CONNECTION_READING && !connection->socket.unread) ||
             !(events & EPOLLIN)))
                connection->socket.gone = true;
        if (events & EPOLLOUT)
                flush(connection);
        if ((events & EPOLLIN) && connection->state == CONNECTION_READING)
                read_more(connection);
        else if ((events & EPOLLIN) && connection->socket.unread)
                socket_throw_away(&connection->socket, 2 * REQUEST_BODY_MAX);
        if (answer_resumes(&connection->answer, &connection->socket))
                transfer_resume(connection->call.transfer);
        drop_if_over(connection);
        return 0;
}

/* ---- time ---------------------------------------------------------------------------------------- */

static void run_out(Connection *connection) {
        if (connection->state == CONNECTION_READING && connection->socket.in.len > 0)
                fault(connection, 408, "timeout", "the request did not come whole in time");
        else
                connection->socket.gone = connection->idle = true;
        drop_if_over(connection);
}

/* While the provider is waited for, the client is not. */
static int on_patience(sd_event_source *source, uint64_t usec, void *userdata) {
        Connection *connection = userdata;
        uint64_t patience = connection->route->patience_usec, since;
        bool ours = connection->state == CONNECTION_FORWARDING ||
                    connection->state == CONNECTION_WAITING;
        bool waits = !ours || connection->socket.out.len > 0;

        (void) usec;
        since = units_monotonic() - connection->socket.moved;
        if (sd_event_source_set_time_relative(source, waits && since < patience ? patience - since
                                                                                : patience) < 0 ||
            sd_event_source_set_enabled(source, SD_EVENT_ONESHOT) < 0)
                connection->socket.gone = true;
        if (connection->socket.gone || (waits && since >= patience))
                run_out(connection);
        return 0;
}

/* ---- start --------------------------------------------------------------------------------------- */

static int watch(Connection *connection) {
        const Route *route = connection->route;
        int r;

        r = socket_watch(&connection->socket, route->event, on_io, connection);
        if (r >= 0 && route->patience_usec > 0)
                r = sd_event_add_time_relative(route->event, &connection->patience, CLOCK_MONOTONIC,
                                               route->patience_usec, PATIENCE_ACCURACY, on_patience,
                                               connection);
        return r;
}

int connection_new_consume(Route *route, int fd, Connection **head) {
        Connection *connection = calloc(1, sizeof(*connection));

        if (!connection) {
                (void) close(fd);
                return -ENOMEM;
        }
        connection->route = route;
        socket_init_consume(&connection->socket, fd, REQUEST_HEAD_MAX, ANSWER_OUT_MAX);
        call_init(&connection->call, route);
        if (!share_hold(route->share, &connection->held, IDLE_BYTES) || watch(connection) < 0) {
                (void) connection_free(connection);
                return -ENOMEM;
        }
        connection->next = *head;
        *head = connection;
        return 0;
}

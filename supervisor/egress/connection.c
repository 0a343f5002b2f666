/*
 * connection: reads one request at a time; the next is looked at when the answer is out.
 *
 *   READING     bytes come in; nothing is sent upstream before the request is whole and allowed
 *   FORWARDING  a transfer is under way; its answer goes out as it comes. Input is not read, so that a
 *               client cannot pipeline memory full; its going away ends the transfer
 *   CLOSING     a last answer goes out, then the end
 *
 * A transfer's callbacks run inside of libcurl and must not free it. They only note that the client is
 * gone (`gone`); the end of the transfer, which follows, frees.
 */
#include "supervisor/egress/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "supervisor/egress/body.h"
#include "supervisor/egress/reply.h"
#include "supervisor/egress/request.h"
#include "supervisor/egress/transfer.h"

#define ANTHROPIC_VERSION "2023-06-01" /* of a client that names none */

typedef enum ConnectionState {
        CONNECTION_READING,
        CONNECTION_FORWARDING,
        CONNECTION_CLOSING
} ConnectionState;

struct Connection {
        Connection *next; /* owned by the route's list */
        Route *route;     /* borrowed */
        ConnectionState state;
        int fd;                  /* owned */
        sd_event_source *source; /* owned */
        Buf in, out;
        RequestHead head; /* of the request under way */
        Buf body;         /* of it, as it goes out */
        char version[REQUEST_VALUE_MAX + 32], beta[REQUEST_VALUE_MAX + 32]; /* headers likewise */
        Transfer *transfer;                                                 /* owned */
        bool gone;    /* the client went away or does not read */
        bool started; /* the head of the answer is out */
        bool chunked;
        bool paused;
};

Connection *connection_free(Connection *connection) {
        Connection *next = connection->next;

        transfer_free(connection->transfer);
        sd_event_source_disable_unref(connection->source);
        (void) close(connection->fd);
        buf_deinit(&connection->in);
        buf_deinit(&connection->out);
        buf_deinit(&connection->body);
        free(connection);
        return next;
}

Connection **connection_next(Connection *connection) {
        return &connection->next;
}

static void set_events(Connection *connection) {
        uint32_t events = EPOLLRDHUP;

        if (connection->state == CONNECTION_READING)
                events |= EPOLLIN;
        if (connection->out.len > 0)
                events |= EPOLLOUT;
        if (sd_event_source_set_io_events(connection->source, events) < 0)
                connection->gone = true;
}

/* Send what waits. */
static void flush(Connection *connection) {
        while (connection->out.len > 0 && !connection->gone) {
                ssize_t n = send(connection->fd, connection->out.data, connection->out.len,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);

                if (n >= 0)
                        buf_drop(&connection->out, (size_t) n);
                else if (errno == EAGAIN)
                        break;
                else if (errno != EINTR)
                        connection->gone = true;
        }
        set_events(connection);
}

static void fault(Connection *connection, int status, const char *code, const char *text) {
        if (reply_fault(&connection->out, status, code, text) < 0)
                connection->gone = true;
        connection->state = CONNECTION_CLOSING;
        flush(connection);
}

static void on_head(void *userdata, const TransferHead *from) {
        Connection *connection = userdata;
        ReplyHead head = { .status = from->status,
                           .type = from->type,
                           .retry_after = from->retry_after,
                           .length = from->length,
                           .final = from->status != 200,
                           .close = connection->head.close };

        connection->started = true;
        connection->chunked = from->length < 0;
        if (reply_head(&connection->out, &head) < 0)
                connection->gone = true;
        flush(connection);
}

static int on_body(void *userdata, const char *bytes, size_t n) {
        Connection *connection = userdata;

        if (connection->gone)
                return -1;
        if (connection->out.len > CONNECTION_OUT_PAUSE) {
                connection->paused = true;
                return 0;
        }
        if (reply_body(&connection->out, connection->chunked, bytes, n) < 0)
                connection->gone = true;
        flush(connection);
        return connection->gone ? -1 : 1;
}

static void tell_front(Connection *connection, const TransferEnd *end) {
        EgressEvent event = { .kind = EGRESS_CALL,
                              .code = (int32_t) end->status,
                              .id = connection->route->id,
                              .calls = connection->route->calls,
                              .tokens_in = end->tokens_in,
                              .tokens_out = end->tokens_out,
                              .bytes_in = end->bytes_in,
                              .bytes_out = end->bytes_out,
                              .wall_usec = end->wall_usec,
                              .attempts = end->attempts,
                              .like = connection->route->like };

        (void) snprintf(event.text, sizeof(event.text), "%s",
                        end->text && !end->whole ? end->text : "");
        connection->route->say(connection->route->userdata, &event);
}

static void read_more(Connection *connection);

/* The answer is out: the next request, or the end. */
static void next_request(Connection *connection) {
        buf_drop(&connection->in, connection->head.head + connection->head.body);
        connection->transfer = transfer_free(connection->transfer);
        buf_deinit(&connection->body);
        connection->started = connection->paused = false;
        connection->state = connection->head.close ? CONNECTION_CLOSING : CONNECTION_READING;
        if (connection->state == CONNECTION_READING)
                read_more(connection);
}

static void drop_if_over(Connection *connection) {
        if (connection->gone && connection->state == CONNECTION_FORWARDING) {
                transfer_abort(connection->transfer); /* comes back here by on_end() */
                return;
        }
        if (connection->gone ||
            (connection->state == CONNECTION_CLOSING && connection->out.len == 0))
                route_drop(connection->route, connection);
}

void connection_end(Connection *connection) {
        connection->gone = true;
        drop_if_over(connection);
}

static void on_end(void *userdata, const TransferEnd *end) {
        Connection *connection = userdata;

        tell_front(connection, end);
        connection->state = CONNECTION_CLOSING;
        if (connection->gone || (!end->whole && connection->started)) {
                connection->gone = true; /* half an answer: the client must see that it broke */
        } else if (!end->whole) {
                char text[ERROR_TEXT_MAX];

                (void) snprintf(text, sizeof(text), "no answer of the provider: %.400s", end->text);
                fault(connection, 502, "provider", text);
        } else {
                if (connection->chunked && reply_last(&connection->out) < 0)
                        connection->gone = true;
                next_request(connection);
                flush(connection);
        }
        drop_if_over(connection);
}

static const TransferEvents transfer_events = { on_head, on_body, on_end };

/* What the client sent goes nowhere: it is told, and so is the task's log, since not every client shows what it was told. */
static void refuse(Connection *connection, const RequestFault *wrong) {
        static const char probe[] =
                "HEAD "; /* some look so whether anybody is there: nothing is amiss */

        if (strncmp(connection->in.data, probe, sizeof(probe) - 1) != 0)
                route_refused(connection->route, wrong->status, wrong->text);
        fault(connection, wrong->status, wrong->code, wrong->text);
}

/* The body as it may go out. Returns: 0, or negative and the client was told */
static int pin_body(Connection *connection) {
        const char *text = connection->in.data + connection->head.head;
        RequestTarget target = connection->head.target;
        RequestFault wrong = { 0 };
        BodyFacts facts;
        int r;

        r = body_read(text, connection->head.body, target, &facts, &wrong);
        if (r < 0) {
                refuse(connection, &wrong);
                return r;
        }
        r = body_pin(text, connection->head.body, target, &facts, connection->route->model,
                     &connection->body);
        if (r < 0)
                fault(connection, 503, "memory", "egress has no memory for this request");
        return r;
}

/* Nothing of what the client sent goes out but its body, and two headers of Anthropic's. */
static void fill_headers(Connection *connection, TransferSpec *spec) {
        const RequestHead *head = &connection->head;
        unsigned n = 0;

        if (!request_is_messages(head->target)) {
                spec->headers[0] = connection->route->authorization;
                return;
        }
        (void) snprintf(connection->version, sizeof(connection->version), "anthropic-version: %s",
                        head->version[0] ? head->version : ANTHROPIC_VERSION);
        spec->headers[n++] = connection->version;
        if (head->beta[0]) {
                (void) snprintf(connection->beta, sizeof(connection->beta), "anthropic-beta: %s",
                                head->beta);
                spec->headers[n++] = connection->beta;
        }
        spec->headers[n] = connection->route->api_key;
}

static void send_request(Connection *connection) {
        char url[EGRESS_URL_MAX + 64];
        RequestTarget target = connection->head.target;
        Error err = ERROR_EMPTY;
        TransferSpec spec = { .url = url,
                              .bytes_max = connection->route->bytes_max,
                              .costs = request_generates(target),
                              .grows = target == REQUEST_MESSAGES,
                              .echoes = target == REQUEST_RESPONSES,
                              .events = &transfer_events,
                              .userdata = connection };

        (void) snprintf(url, sizeof(url), "%s%s", connection->route->base_url,
                        connection->head.path);
        fill_headers(connection, &spec);
        if (request_has_body(target)) {
                spec.body = connection->body.data;
                spec.n_body = connection->body.len;
        }
        connection->state = CONNECTION_FORWARDING;
        set_events(connection);
        if (transfer_new(connection->route->multi, connection->route->event, &spec,
                         &connection->transfer, &err) < 0)
                fault(connection, 502, "provider", err.text);
}

static void forward(Connection *connection) {
        if (request_has_body(connection->head.target) && pin_body(connection) < 0)
                return;
        if (route_spend(connection->route))
                send_request(connection);
        else
                fault(connection, 429, "limit", "the task's model calls are all used");
}

/* Is there a whole request in what was read? */
static void look(Connection *connection) {
        RequestFault wrong = { 0 };
        int r;

        r = request_parse(connection->in.data ? connection->in.data : "", connection->in.len,
                          &connection->head, &wrong);
        if (r < 0)
                refuse(connection, &wrong);
        else if (r == 1 && connection->in.len >= connection->head.head + connection->head.body)
                forward(connection);
}

static void read_more(Connection *connection) {
        while (connection->state == CONNECTION_READING && !connection->gone) {
                ssize_t n;

                look(connection);
                if (connection->state != CONNECTION_READING)
                        break;
                n = buf_read(&connection->in, connection->fd, 64 * 1024);
                if (n == -EAGAIN)
                        break;
                if (n <= 0)
                        connection->gone = true;
        }
        set_events(connection);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Connection *connection = userdata;

        (void) source;
        (void) fd;
        if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) &&
            (connection->state != CONNECTION_READING || !(events & EPOLLIN)))
                connection->gone = true;
        if (events & EPOLLOUT)
                flush(connection);
        if ((events & EPOLLIN) && connection->state == CONNECTION_READING)
                read_more(connection);
        if (connection->paused && connection->out.len < CONNECTION_OUT_PAUSE / 2 &&
            !connection->gone) {
                connection->paused = false;
                transfer_resume(connection->transfer);
        }
        drop_if_over(connection);
        return 0;
}

/*
 * An answer goes out in pieces (head, body, last chunk). Held back until the piece before is acknowledged, which clients
 * do after 40 ms where they have nothing to say, each would cost that. Only time is lost where it is refused.
 */
static void send_at_once(int fd) {
        static const int on = 1;

        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int connection_new_consume(Route *route, int fd, Connection **head) {
        autoclose int owned = fd;
        Connection *connection = calloc(1, sizeof(*connection));

        if (!connection)
                return -ENOMEM;
        *connection = (Connection){ .route = route,
                                    .fd = owned,
                                    .in = BUF_EMPTY(REQUEST_HEAD_MAX + REQUEST_BODY_MAX),
                                    .out = BUF_EMPTY(CONNECTION_OUT_MAX),
                                    .body = BUF_EMPTY(REQUEST_BODY_MAX + BODY_MORE_MAX) };
        if (sd_event_add_io(route->event, &connection->source, fd, EPOLLIN | EPOLLRDHUP, on_io,
                            connection) < 0) {
                free(connection);
                return -ENOMEM;
        }
        (void) sd_event_source_set_description(connection->source, "client");
        send_at_once(fd);
        (void) TAKE_FD(owned);
        connection->next = *head;
        *head = connection;
        return 0;
}

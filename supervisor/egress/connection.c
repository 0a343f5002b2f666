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
#include "base/units.h"
#include "supervisor/egress/body.h"
#include "supervisor/egress/reply.h"
#include "supervisor/egress/request.h"
#include "supervisor/egress/transfer.h"
#include "supervisor/egress/upstream.h"
#include "supervisor/egress/usage.h"

#define IDLE_BYTES        (REQUEST_HEAD_MAX + 8u * 1024) /* of the share: what is held in any case */
#define CALL_BYTES        (CONNECTION_OUT_MAX + TRANSFER_BYTES)
#define SOCKET_BYTES      (128 * 1024) /* of the kernel's, each way; it doubles that */
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
        ShareCall call;
        Route *route; /* borrowed */
        ConnectionState state;
        int fd;                    /* owned */
        sd_event_source *source;   /* owned */
        sd_event_source *patience; /* owned; NULL: any */
        uint64_t moved; /* monotonic: the present request began to come, or bytes went out */
        size_t held;    /* of the task's share */
        Buf in, out;
        size_t looked;      /* of in: no head ends there */
        size_t thrown;      /* bytes of a refused request */
        RequestHead head;   /* of the request under way */
        Buf body;           /* of it, as it goes out */
        Upstream upstream;  /* likewise */
        Transfer *transfer; /* owned */
        bool has_head;
        bool gone;    /* the client went away or does not read */
        bool idle;    /* gone, since it let stand what it had */
        bool unread;  /* CLOSING: more of the request comes */
        bool started; /* the head of the answer is out */
        bool chunked;
        bool paused;
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

        transfer_free(connection->transfer);
        stop_waiting(connection);
        share_settle(connection->route->share, &connection->call, 0, 0);
        sd_event_source_disable_unref(connection->source);
        sd_event_source_disable_unref(connection->patience);
        (void) share_hold(connection->route->share, &connection->held, 0);
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

        if (connection->state == CONNECTION_READING || connection->unread)
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

                if (n < 0 && errno == EAGAIN)
                        break;
                if (n < 0 && errno != EINTR)
                        connection->gone = true;
                if (n <= 0)
                        continue;
                buf_drop(&connection->out, (size_t) n);
                connection->moved = units_monotonic();
        }
        if (connection->unread && connection->out.len == 0)
                (void) shutdown(connection->fd, SHUT_WR);
        set_events(connection);
}

/* From now on an answer waits for the client, where none did. */
static void begin_waiting(Connection *connection) {
        if (connection->out.len == 0)
                connection->moved = units_monotonic();
}

static bool is_whole(const Connection *connection) {
        return connection->has_head &&
               connection->in.len >= connection->head.head + connection->head.body;
}

static void fault(Connection *connection, int status, const char *code, const char *text) {
        begin_waiting(connection);
        if (reply_fault(&connection->out, status, code, text) < 0)
                connection->gone = true;
        connection->unread = connection->state == CONNECTION_READING && !is_whole(connection);
        connection->state = CONNECTION_CLOSING;
        buf_deinit(&connection->in);
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

        begin_waiting(connection);
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
        begin_waiting(connection);
        if (reply_body(&connection->out, connection->chunked, bytes, n) < 0)
                connection->gone = true;
        flush(connection);
        return connection->gone ? -1 : 1;
}

static void tell_front(Connection *connection, const TransferEnd *end) {
        EgressEvent event = { .kind = EGRESS_CALL,
                              .code = (int32_t) end->status,
                              .id = connection->route->id,
                              .calls = connection->route->share->calls,
                              .tokens_in = end->tokens.in,
                              .tokens_out = end->tokens.out,
                              .tokens_cached = end->tokens.cached,
                              .money = money_cost(&connection->route->price, &end->tokens),
                              .bytes_in = end->bytes_in,
                              .bytes_out = end->bytes_out,
                              .wall_usec = end->wall_usec,
                              .attempts = end->attempts,
                              .guessed = end->guessed,
                              .like = connection->route->like };
        uint64_t tokens = end->tokens.in;

        money_add(&tokens, end->tokens.out);
        share_settle(connection->route->share, &connection->call, tokens, event.money);
        (void) snprintf(event.text, sizeof(event.text), "%s",
                        end->text && !end->whole ? end->text : "");
        connection->route->say(connection->route->userdata, &event);
}

static void read_more(Connection *connection);
static void forward(Connection *connection);

/* The answer is out: the next request, or the end. */
static void next_request(Connection *connection) {
        connection->transfer = transfer_free(connection->transfer);
        buf_deinit(&connection->body);
        (void) share_hold(connection->route->share, &connection->held, IDLE_BYTES);
        connection->started = connection->paused = connection->has_head = false;
        connection->looked = 0;
        connection->moved = units_monotonic();
        connection->state = connection->head.close ? CONNECTION_CLOSING : CONNECTION_READING;
        if (connection->state == CONNECTION_READING)
                read_more(connection);
}

static void drop_if_over(Connection *connection) {
        if (connection->gone && connection->state == CONNECTION_FORWARDING) {
                transfer_abort(connection->transfer, /* comes back here by on_end() */
                               connection->idle ? "the client does not read its answer"
                                                : "the client went away");
                return;
        }
        if (connection->gone || (connection->state == CONNECTION_CLOSING &&
                                 connection->out.len == 0 && !connection->unread))
                route_drop(connection->route, connection);
}

void connection_end(Connection *connection) {
        connection->gone = true;
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
        wake_others(share);
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

static bool may_begin(Connection *connection);

/* What a text of so many bytes costs; a picture or a file is said in far more bytes than it costs. */
static uint64_t prompt_of(const BodyText *body, const BodyFacts *facts) {
        return (body->n - facts->content) / USAGE_BYTES_PER_TOKEN +
               facts->content / (4 * USAGE_BYTES_PER_TOKEN);
}

/* The body as it may go out. Returns: 0; negative: it does not, and the client was told, or waits */
static int pin_body(Connection *connection) {
        const BodyText body = { .text = connection->in.data + connection->head.head,
                                .n = connection->head.body,
                                .target = connection->head.target,
                                .allowed = connection->route->allowed };
        RequestFault wrong = { 0 };
        BodyFacts facts;
        int r;

        r = body_read(&body, &facts, &wrong);
        if (r < 0) {
                refuse(connection, &wrong);
                return r;
        }
        connection->call = (ShareCall){ .costs = request_generates(body.target),
                                        .prompt = prompt_of(&body, &facts),
                                        .most = facts.most,
                                        .price = &connection->route->price };
        if (!may_begin(connection))
                return -EAGAIN;
        facts.most = connection->call.most;
        r = body_pin(&body, &facts, connection->route->model, &connection->body);
        if (r < 0)
                fault(connection, 503, "memory", "egress has no memory for this request");
        return r;
}

/* Else the client was told, or it waits for the other calls of its task. */
static bool may_begin(Connection *connection) {
        Route *route = connection->route;
        ShareWord word;

        if (!route->has_room(route->userdata)) {
                fault(connection, 503, "busy", "the supervisor is busy: try again in a second");
                return false;
        }
        word = share_begin(route->share, &connection->call);
        if (word == SHARE_GOES)
                return true;
        if (word == SHARE_WAITS) {
                connection->state = CONNECTION_WAITING;
                connection->next_waiting = route->share->waiting;
                route->share->waiting = connection;
                return false;
        }
        route_limit(route, word, connection->call.money);
        fault(connection, 429, "limit",
              word == SHARE_CALLS_USED ? "the task's model calls are all used"
              : word == SHARE_TOKENS_USED
                      ? "the task's tokens are all used"
                      : "what is left of the task's money does not pay for this call");
        return false;
}

static void send_request(Connection *connection) {
        Upstream *upstream = &connection->upstream;
        Error err = ERROR_EMPTY;

        upstream_fill(upstream, connection->route, &connection->head, &connection->body);
        upstream->spec.events = &transfer_events;
        upstream->spec.userdata = connection;
        connection->state = CONNECTION_FORWARDING;
        set_events(connection);
        if (transfer_new(connection->route->multi, connection->route->event, &upstream->spec,
                         &connection->transfer, &err) < 0)
                fault(connection, 502, "provider", err.text);
}

/* The request as it came is not needed any more, but for what the client sent behind it. */
static int let_go(Connection *connection) {
        size_t whole = connection->head.head + connection->head.body;
        size_t n = connection->in.len - whole;
        char rest[REQUEST_HEAD_MAX]; /* no more is read ahead */

        memcpy(rest, connection->in.data + whole, n);
        buf_deinit(&connection->in);
        connection->in.max = REQUEST_HEAD_MAX;
        (void) share_hold(connection->route->share, &connection->held,
                          IDLE_BYTES + CALL_BYTES + connection->body.len);
        return buf_append(&connection->in, rest, n);
}

/* A call that did not begin after all keeps no tokens from others. */
static void give_back(Connection *connection) {
        Share *share = connection->route->share;

        if (connection->state == CONNECTION_FORWARDING || connection->call.reserved == 0)
                return;
        share_settle(share, &connection->call, 0, 0);
        wake_others(share);
}

static void forward(Connection *connection) {
        bool begins;

        connection->call = (ShareCall){ 0 };
        begins = request_has_body(connection->head.target) ? pin_body(connection) >= 0
                                                           : may_begin(connection);
        if (begins && let_go(connection) < 0)
                fault(connection, 503, "memory", "egress has no memory for this request");
        else if (begins)
                send_request(connection);
        give_back(connection);
}

/* The head is known: is there room for what follows? */
static bool take_room(Connection *connection) {
        const RequestHead *head = &connection->head;
        size_t whole = head->head + head->body;

        connection->has_head = true;
        if (share_hold(connection->route->share, &connection->held,
                       IDLE_BYTES + CALL_BYTES + 2 * head->body + BODY_MORE_MAX)) {
                connection->in.max = whole > REQUEST_HEAD_MAX ? whole : REQUEST_HEAD_MAX;
                return true;
        }
        fault(connection, 503, "memory",
              "other requests of this task, and their answers, hold all that egress has for it: "
              "try again when they are done");
        return false;
}

/* New bytes without an end of a line make no head whole. */
static bool read_head(Connection *connection) {
        const Buf *in = &connection->in;
        size_t from = connection->looked;
        RequestFault wrong = { 0 };
        int r;

        connection->looked = in->len;
        if (in->len == from ||
            (in->len < REQUEST_HEAD_MAX && !memchr(in->data + from, '\n', in->len - from)))
                return false;
        r = request_parse(in->data, in->len, &connection->head, &wrong);
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
        size_t whole = connection->head.head + connection->head.body;
        size_t want = (connection->has_head ? whole : REQUEST_HEAD_MAX) - connection->in.len;

        if (connection->in.len == 0)
                connection->moved = units_monotonic();
        return buf_read(&connection->in, connection->fd, want < READ_BYTES ? want : READ_BYTES);
}

static void read_more(Connection *connection) {
        while (connection->state == CONNECTION_READING && !connection->gone) {
                ssize_t n;

                look(connection);
                if (connection->state != CONNECTION_READING)
                        break;
                n = read_part(connection);
                if (n == -EAGAIN)
                        break;
                if (n <= 0)
                        connection->gone = true;
        }
        set_events(connection);
}

/* The rest of a request that was refused. */
static void throw_away(Connection *connection) {
        char bytes[16 * 1024];
        ssize_t n = recv(connection->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

        if (n > 0)
                connection->thrown += (size_t) n;
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) ||
            connection->thrown > 2 * REQUEST_BODY_MAX)
                connection->gone = true;
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Connection *connection = userdata;

        (void) source;
        (void) fd;
        if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) &&
            ((connection->state != CONNECTION_READING && !connection->unread) ||
             !(events & EPOLLIN)))
                connection->gone = true;
        if (events & EPOLLOUT)
                flush(connection);
        if ((events & EPOLLIN) && connection->state == CONNECTION_READING)
                read_more(connection);
        else if ((events & EPOLLIN) && connection->unread)
                throw_away(connection);
        if (connection->paused && connection->out.len < CONNECTION_OUT_PAUSE / 2 &&
            !connection->gone) {
                connection->paused = false;
                transfer_resume(connection->transfer);
        }
        drop_if_over(connection);
        return 0;
}

/* ---- time ---------------------------------------------------------------------------------------- */

static void run_out(Connection *connection) {
        if (connection->state == CONNECTION_READING && connection->in.len > 0)
                fault(connection, 408, "timeout", "the request did not come whole in time");
        else
                connection->gone = connection->idle = true;
        drop_if_over(connection);
}

/* While the provider is waited for, the client is not. */
static int on_patience(sd_event_source *source, uint64_t usec, void *userdata) {
        Connection *connection = userdata;
        uint64_t patience = connection->route->patience_usec, since;
        bool ours = connection->state == CONNECTION_FORWARDING ||
                    connection->state == CONNECTION_WAITING;
        bool waits = !ours || connection->out.len > 0;

        (void) usec;
        since = units_monotonic() - connection->moved;
        if (sd_event_source_set_time_relative(source, waits && since < patience ? patience - since
                                                                                : patience) < 0 ||
            sd_event_source_set_enabled(source, SD_EVENT_ONESHOT) < 0)
                connection->gone = true;
        if (connection->gone || (waits && since >= patience))
                run_out(connection);
        return 0;
}

/* ---- start --------------------------------------------------------------------------------------- */

/*
 * An answer goes out in pieces (head, body, last chunk). Held back until the piece before is acknowledged, which clients
 * do after 40 ms where they have nothing to say, each would cost that. The kernel's buffers, which it would let grow to
 * several MiB, are no part of the task's share. Only time or room is lost where it is refused.
 */
static void set_socket(int fd) {
        static const int on = 1, most = SOCKET_BYTES;

        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &most, sizeof(most));
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &most, sizeof(most));
}

static int watch(Connection *connection) {
        const Route *route = connection->route;
        int r;

        r = sd_event_add_io(route->event, &connection->source, connection->fd, EPOLLIN | EPOLLRDHUP,
                            on_io, connection);
        if (r >= 0)
                r = sd_event_source_set_description(connection->source, "client");
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
        *connection = (Connection){ .route = route,
                                    .fd = fd,
                                    .moved = units_monotonic(),
                                    .in = BUF_EMPTY(REQUEST_HEAD_MAX),
                                    .out = BUF_EMPTY(CONNECTION_OUT_MAX),
                                    .body = BUF_EMPTY(REQUEST_BODY_MAX + BODY_MORE_MAX) };
        if (!share_hold(route->share, &connection->held, IDLE_BYTES) || watch(connection) < 0) {
                (void) connection_free(connection);
                return -ENOMEM;
        }
        set_socket(fd);
        connection->next = *head;
        *head = connection;
        return 0;
}

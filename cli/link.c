/*
 * link: one poll loop under every call. Three kinds of source: the supervisor, a signalfd, and the
 * relays of a command's stdio. Nothing here blocks but poll itself, save a write to the caller's own
 * terminal that it has stopped.
 */
#include "cli/link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/units.h"
#include "cli/connect.h"
#include "cli/fields.h"
#include "cli/terminal.h"

#define FIXED_POLLS 4 /* supervisor, signals, keys, reader */

int link_open(Link *link, const char *socket, Error *err) {
        *link = LINK_EMPTY;
        return connect_supervisor(socket, &link->peer, err);
}

void link_deinit(Link *link) {
        for (unsigned i = 0; i < link->n_relays; i++)
                relay_deinit(&link->relays[i]);
        link->n_relays = 0;
        link->peer = rpc_peer_free(link->peer);
        if (link->signals >= 0)
                (void) close(link->signals);
        link->signals = -EBADF;
}

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGQUIT, SIGCONT };

/* How many of them, from the first on */
typedef enum Catch { CATCH_ENDS = 3, CATCH_SCREEN = 6, CATCH_TERMINAL = 7 } Catch;

static int catch_signals(Link *link, Catch n, Error *err) {
        sigset_t set;

        (void) sigemptyset(&set);
        for (unsigned i = 0; i < (unsigned) n; i++)
                (void) sigaddset(&set, caught[i]);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        link->signals =
                signalfd(link->signals < 0 ? -1 : link->signals, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return link->signals < 0 ? error_set(err, -errno, "catch signals") : 0;
}

int link_catch_signals(Link *link, Error *err) {
        return catch_signals(link, CATCH_ENDS, err);
}

int link_catch_screen(Link *link, Error *err) {
        return catch_signals(link, CATCH_SCREEN, err);
}

int link_catch_terminal(Link *link, Error *err) {
        return catch_signals(link, CATCH_TERMINAL, err);
}

void link_stop(Link *link) {
        link->stopped = true;
}

void answer_deinit(Answer *answer) {
        rpc_message_deinit(&answer->message);
        *answer = ANSWER_EMPTY;
}

static void serve_signal(Link *link) {
        struct signalfd_siginfo info;

        if (read(link->signals, &info, sizeof(info)) == (ssize_t) sizeof(info) && link->on_signal)
                link->on_signal(link, (int) info.ssi_signo, link->userdata);
}

/* A terminal that is gone gives no keys any more. */
static void serve_key(Link *link) {
        char key;

        if (read(link->keys, &key, 1) == 1)
                link->on_key(link, key, link->userdata);
        else
                link->keys = -EBADF;
}

/* Nobody reads what we write: who writes seldom would learn it late, or never */
static void serve_reader(Link *link) {
        link->reader = -EBADF;
        if (link->on_signal)
                link->on_signal(link, SIGPIPE, link->userdata);
}

/* How long poll may wait, in milliseconds; -1: for ever */
static int wait_msec(Link *link) {
        uint64_t now, due;

        if (!link->on_wake)
                return -1;
        due = link->on_wake(link, link->userdata);
        now = units_monotonic();
        return due <= now ? 0 : (int) ((due - now) / 1000 < 60000 ? (due - now) / 1000 + 1 : 60000);
}

static int read_more(Link *link, Error *err) {
        int r = rpc_peer_read(link->peer, err);

        if (r == 0 || r == -ECONNRESET)
                return error_say(err, -ECONNRESET,
                                 "supervisor_lost: the supervisor closed the connection before it "
                                 "answered; what it ran for this call has ended with it");
        return r < 0 ? r : 0;
}

/* One round: wait, then serve whatever is ready. 0, or negative errno where the supervisor is gone */
static int serve(Link *link, Error *err) {
        struct pollfd polls[FIXED_POLLS + LINK_RELAYS_MAX];
        bool is_readable;
        int r;

        polls[0] = (struct pollfd){ .fd = rpc_peer_fd(link->peer),
                                    .events = (short) rpc_peer_events(link->peer) };
        polls[1] = (struct pollfd){ .fd = link->signals, .events = POLLIN };
        polls[2] = (struct pollfd){ .fd = link->keys, .events = POLLIN };
        polls[3] = (struct pollfd){ .fd = link->reader };
        for (unsigned i = 0; i < link->n_relays; i++)
                relay_want(&link->relays[i], &polls[FIXED_POLLS + i]);
        if (poll(polls, FIXED_POLLS + link->n_relays, wait_msec(link)) < 0)
                return errno == EINTR ? 0 : error_set(err, -errno, "wait for the supervisor");
        for (unsigned i = 0; i < link->n_relays; i++)
                if (polls[FIXED_POLLS + i].revents)
                        relay_step(&link->relays[i]);
        if (polls[1].revents)
                serve_signal(link);
        if (polls[2].revents)
                serve_key(link);
        if (polls[3].revents)
                serve_reader(link);
        is_readable = polls[0].revents & (POLLIN | POLLHUP | POLLERR);
        /* one that has closed the connection may have said why before */
        if (polls[0].revents & POLLOUT && (r = rpc_peer_flush(link->peer)) < 0 && !is_readable)
                return error_set(err, r, "send to the supervisor");
        return is_readable ? read_more(link, err) : 0;
}

/* Whoever looks at a command that does not start should know why. */
static void say_waiting(const cJSON *params) {
        const char *which = json_text(params, "which");
        uint64_t position = 0;

        if (which && strcmp(which, "ending") == 0) {
                terminal_say("waiting: jails of yours are still being cleared away");
                return;
        }
        (void) json_number(params, "position", &position);
        fprintf(stderr, "warder: waiting for room on this host (place %llu at most): ",
                (unsigned long long) position);
        terminal_text(stderr, json_text(params, "text"), 200);
        fputc('\n', stderr);
}

static void note(Link *link, const RpcMessage *message) {
        const char *method = json_text(message->json, "method");

        if (method && strcmp(method, "jail.waiting") == 0)
                say_waiting(json_get(message->json, "params"));
        else if (method && link->on_note)
                link->on_note(link, method, json_get(message->json, "params"), link->userdata);
}

/* Said to whoever connected, before any request was read: turned away, or a line that was no message */
static bool is_for_all(const RpcMessage *message) {
        const cJSON *id = json_get(message->json, "id");

        return json_get(message->json, "error") && (!id || cJSON_IsNull(id));
}

static void give_other(Link *link, RpcMessage *message) {
        uint64_t id = 0;

        if (json_text(message->json, "method"))
                note(link, message);
        else if (link->on_answer && json_number(message->json, "id", &id) == 0)
                link->on_answer(link, id, message, link->userdata);
}

/* The answer to @id among the messages that are there; 1 found, 0 not yet, negative errno */
static int find_answer(Link *link, uint64_t id, RpcMessage *ret, Error *err) {
        for (;;) {
                RpcMessage message = RPC_MESSAGE_EMPTY;
                uint64_t got = 0;
                int r = rpc_peer_next(link->peer, &message, err);

                if (r == 0)
                        return 0;
                if (r != 1)
                        return r == -EPROTO ? r
                                            : error_say(err, -EPROTO,
                                                        "the supervisor sent what is no message");
                if (id != 0 && !json_text(message.json, "method") &&
                    (is_for_all(&message) ||
                     (json_number(message.json, "id", &got) == 0 && got == id))) {
                        *ret = message;
                        return 1;
                }
                give_other(link, &message);
                rpc_message_deinit(&message);
                if (link->stopped)
                        return 0;
        }
}

static int wait_answer(Link *link, uint64_t id, RpcMessage *ret, Error *err) {
        int r;

        link->stopped = false;
        for (;;) {
                r = find_answer(link, id, ret, err);
                if (r != 0)
                        return r < 0 ? r : 0;
                if (link->stopped)
                        return LINK_E_STOPPED;
                r = serve(link, err);
                if (r < 0)
                        return r;
        }
}

/* Options are worth telling in any case; other places only where what stands there is the fault */
static const char *place_of(const Field *field, const char *path, const char *code) {
        if (!path || !*path)
                return NULL;
        if (field && field->option[0] == '-')
                return field->option;
        if (code && strcmp(code, "invalid") != 0)
                return NULL;
        return field ? field->option : path;
}

void link_why(const char *method, const cJSON *error, Error *err) {
        const cJSON *data = json_get(error, "data");
        const char *message = json_text(error, "message");
        const char *path = json_text(data, "path");
        const char *hint = json_text(data, "hint");
        const Field *field = field_find(method, path);
        const char *place = place_of(field, path, json_text(data, "code"));
        char text[FIELD_RANGE_MAX];
        const char *range = field_range(field, data, text);

        (void) error_say(err, -EREMOTEIO, "%s%s%s%s%s%s",
                         range     ? range
                         : message ? message
                                   : "refused",
                         place ? " (at " : "", place ? place : "", place ? ")" : "",
                         hint && *hint ? ": " : "", hint ? hint : "");
}

static int refused(Answer *answer, const char *method, const cJSON *error, Error *err) {
        const char *code = json_text(json_get(error, "data"), "code");

        snprintf(answer->code, sizeof(answer->code), "%s", code ? code : "invalid");
        link_why(method, error, err);
        return LINK_E_REFUSED;
}

int link_begin(Link *link, Ask *ask, uint64_t *ret_id, Error *err) {
        cJSON *params = TAKE_PTR(ask->params);
        SCOPED(json_free)
        cJSON *request =
                rpc_request(++link->last_id, ask->method, params ? params : cJSON_CreateObject());
        int r;

        if (!request)
                return error_set(err, -ENOMEM, "ask %s", ask->method);
        r = rpc_peer_send(link->peer, request, ask->fds, ask->n_fds);
        if (r < 0 && r != -EPIPE && r != -ECONNRESET) /* who closed may have said why */
                return error_set(err, r, "send %s to the supervisor", ask->method);
        *ret_id = link->last_id;
        return 0;
}

int link_ask(Link *link, Ask *ask, Answer *ret_answer, Error *err) {
        const cJSON *error;
        uint64_t id = 0;
        int r = link_begin(link, ask, &id, err);

        if (r < 0)
                return r;
        r = wait_answer(link, id, &ret_answer->message, err);
        if (r != 0)
                return r;
        error = json_get(ret_answer->message.json, "error");
        if (error)
                return refused(ret_answer, ask->method, error, err);
        ret_answer->result = json_get(ret_answer->message.json, "result");
        return 0;
}

void link_tell(Link *link, const char *method, cJSON *params) {
        SCOPED(json_free) cJSON *request = rpc_request(++link->last_id, method, params);

        if (request) /* where this fails the next read of the connection fails too and is reported */
                (void) rpc_peer_send(link->peer, request, NULL, 0);
}

void link_pause(Link *link, int msec) {
        struct pollfd polls = { .fd = link->signals, .events = POLLIN };
        int most = wait_msec(link);

        if (poll(&polls, 1, most < 0 || most > msec ? msec : most) > 0)
                serve_signal(link);
}

int link_await(Link *link, int fd) {
        struct pollfd polls[2] = { { .fd = link->signals, .events = POLLIN },
                                   { .fd = fd, .events = POLLIN } };

        link->stopped = false;
        while (!link->stopped && !polls[1].revents) {
                if (poll(polls, 2, -1) < 0) {
                        if (errno != EINTR)
                                return -errno;
                        continue;
                }
                if (polls[0].revents)
                        serve_signal(link);
        }
        return link->stopped ? LINK_E_STOPPED : 0;
}

int link_receive(Link *link, Error *err) {
        RpcMessage message = RPC_MESSAGE_EMPTY;
        int r = rpc_peer_flush(link->peer);

        if (r < 0 && r != -EPIPE && r != -ECONNRESET) /* who closed may have said why */
                return error_set(err, r, "send to the supervisor");
        r = read_more(link, err);
        return r < 0 ? r : find_answer(link, 0, &message, err); /* none is waited for */
}

int link_listen(Link *link, Error *err) {
        RpcMessage message = RPC_MESSAGE_EMPTY;
        int r = wait_answer(link, 0, &message, err);

        rpc_message_deinit(&message);
        return r < 0 ? r : 0;
}

/* What is still to be carried: 1 something was done or can be, 0 nothing is left */
static int drain_one(Link *link, Relay *relay) {
        struct pollfd polls[2] = { [1] = { .fd = link->signals, .events = POLLIN } };

        relay_want(relay, &polls[0]);
        if (polls[0].fd < 0)
                return 0;
        /* a command that has ended writes no more: what is not in the pipe now never comes */
        if (poll(polls, 2, relay_has_bytes(relay) ? -1 : 0) < 0)
                return errno == EINTR;
        if (polls[1].revents || polls[0].revents == 0)
                return 0;
        relay_step(relay);
        return 1;
}

void link_drain(Link *link) {
        for (unsigned i = 0; i < link->n_relays; i++)
                while (!link->relays[i].is_input && drain_one(link, &link->relays[i]) > 0)
                        ;
}

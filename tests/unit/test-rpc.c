/* rpc: what a peer may send that is no message, and descriptors that do not fit. */
#include "base/rpc-call.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/tap.h"

/* A peer under test and the raw socket of a hostile one. */
typedef struct Pair {
        RpcPeer *peer;
        int raw;
} Pair;

static Pair pair_new(void) {
        Pair pair = { 0 };
        int ends[2];

        (void) socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
        (void) rpc_peer_new_consume(ends[0], &pair.peer);
        pair.raw = ends[1];
        return pair;
}

static void pair_free(Pair *pair) {
        pair->peer = rpc_peer_free(pair->peer);
        (void) close(pair->raw);
}

#define PAIR __attribute__((cleanup(pair_free))) Pair

/* Reads and takes one message; its tree is dropped. */
static int next(Pair *pair, Error *err) {
        RpcMessage message = RPC_MESSAGE_EMPTY;
        int r = rpc_peer_read(pair->peer, err);

        if (r < 0)
                return r;
        r = rpc_peer_next(pair->peer, &message, err);
        rpc_message_deinit(&message);
        return r;
}

static void line_is(const char *line, int want, const char *text) {
        PAIR pair = pair_new();
        Error err = ERROR_EMPTY;

        (void) fds_send(pair.raw, line, strlen(line), NULL, 0);
        is_number(next(&pair, &err), want, line);
        has_text(err.text, text, "with its reason");
}

static void lines_that_are_no_message(void) {
        line_is("\n", RPC_PARSE, "line 1, column 1");
        line_is("{\n", RPC_PARSE, "ends too early");
        line_is("{\"a\":\"\xff\"}\n", RPC_PARSE, "not UTF-8");
        line_is("[]\n", RPC_INVALID, "must be an object");
        line_is("7\n", RPC_INVALID, "must be an object");
        line_is("{}\n", RPC_INVALID, "\"jsonrpc\"");
        line_is("{\"jsonrpc\":\"1.0\",\"method\":\"m\"}\n", RPC_INVALID, "\"jsonrpc\"");
        line_is("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"m\"}\n", RPC_INVALID, "\"id\"");
        line_is("{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":3}\n", RPC_INVALID, "\"params\"");
        line_is("{\"jsonrpc\":\"2.0\",\"id\":1}\n", RPC_INVALID, "neither");
        line_is("{\"jsonrpc\":\"2.0\",\"method\":5}\n", RPC_INVALID, "neither");
}

static void wrong_counts_of_descriptors(void) {
        line_is("{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"fds\":1}\n", -EPROTO,
                "a message takes 1 descriptors, 0 came");
        line_is("{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"fds\":9}\n", -EPROTO, "at most 8");
        line_is("{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"fds\":-1}\n", -EPROTO, "at most 8");
        line_is("{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"fds\":\"1\"}\n", -EPROTO, "at most 8");
}

static void surplus_descriptors(void) {
        PAIR pair = pair_new();
        const char *line = "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"fds\":1}\n";
        int fds[2] = { 0, 0 };
        Error err = ERROR_EMPTY;

        (void) fds_send(pair.raw, line, strlen(line), fds, 2);
        is_number(next(&pair, &err), -EPROTO, "two where one is taken");
        has_text(err.text, "1 descriptors came that no message takes", "is named");
}

static void descriptors_without_end(void) {
        PAIR pair = pair_new();
        int fds[FDS_MAX] = { 0 };
        Error err = ERROR_EMPTY;
        int r = 0;
        unsigned i;

        for (i = 0; i < 3 && r >= 0; i++) {
                (void) fds_send(pair.raw, " ", 1, fds, 20);
                r = next(&pair, &err);
        }
        is_number(r, -EPROTO, "descriptors without a line");
        is_number(i, 2, "end at the queue's maximum");
}

static void line_without_end(void) {
        PAIR pair = pair_new();
        char chunk[65536];
        Error err = ERROR_EMPTY;
        int r = 0, i;

        memset(chunk, ' ', sizeof(chunk));
        for (i = 0; i < 40 && r == 0; i++) {
                (void) fds_send(pair.raw, chunk, sizeof(chunk), NULL, 0);
                r = next(&pair, &err);
        }
        is_number(r, -EPROTO, "a line above the maximum");
        has_text(err.text, "longer than 1048576 bytes", "is named");
}

static void peer_that_does_not_read(void) {
        PAIR pair = pair_new();
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        char text[100001];
        int r = 0, i;

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        (void) json_add_text(json, "x", text);
        for (i = 0; i < 1000 && r == 0; i++)
                r = rpc_peer_send(pair.peer, json, NULL, 0);
        is_number(r, -ENOBUFS, "is given up");
        ok(rpc_peer_waiting(pair.peer) <= RPC_OUT_MAX, "before more than the maximum waits");
        ok(rpc_peer_events(pair.peer) & EPOLLOUT, "until then it is polled for writing");
}

static void too_long_to_send(void) {
        PAIR pair = pair_new();
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        autofree char *text = malloc(RPC_LINE_MAX + 1);

        memset(text, 'x', RPC_LINE_MAX);
        text[RPC_LINE_MAX] = 0;
        (void) json_add_text(json, "x", text);
        is_number(rpc_peer_send(pair.peer, json, NULL, 0), -EMSGSIZE, "a line the other refuses");
        is_number(rpc_peer_waiting(pair.peer), 0, "is not queued");
}

static void a_bad_line_costs_only_itself(void) {
        PAIR pair = pair_new();
        const char *lines = "nonsense\n{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"m\"}\n{\"jso";
        RpcMessage message = RPC_MESSAGE_EMPTY;

        (void) fds_send(pair.raw, lines, strlen(lines), NULL, 0);
        is_number(rpc_peer_read(pair.peer, NULL), 1, "read");
        is_number(rpc_peer_next(pair.peer, &message, NULL), RPC_PARSE, "the bad one");
        is_number(rpc_peer_next(pair.peer, &message, NULL), 1, "the good one");
        is_text(json_text(message.json, "method"), "m", "is whole");
        rpc_message_deinit(&message);
        is_number(rpc_peer_next(pair.peer, &message, NULL), 0, "half a one waits");
}

/* Sends @n bytes in pieces; the peer reads each. */
static void feed(Pair *pair, const char *bytes, size_t n) {
        while (n > 0) {
                size_t now = n < 50000 ? n : 50000;

                (void) fds_send(pair->raw, bytes, now, NULL, 0);
                (void) rpc_peer_read(pair->peer, NULL);
                bytes += now;
                n -= now;
        }
}

/*
 * The buffer is full of a line that is then taken, and of the larger part of the next: room must come
 * from what was taken, or nothing would ever be read again.
 */
static void long_line_behind_another(void) {
        PAIR pair = pair_new();
        const char *end = "{\"jsonrpc\":\"2.0\",\"method\":\"m\"}\n";
        autofree char *blanks = malloc(RPC_LINE_MAX);
        size_t first = 500000, second = RPC_LINE_MAX - 100;
        size_t early = RPC_LINE_MAX + 65536 - first - strlen(end);

        memset(blanks, ' ', RPC_LINE_MAX);
        feed(&pair, blanks, first);
        feed(&pair, end, strlen(end));
        feed(&pair, blanks, early);
        is_number(next(&pair, NULL), 1, "the first line");
        feed(&pair, blanks, second - early);
        feed(&pair, end, strlen(end));
        is_number(next(&pair, NULL), 1, "the second, of nearly the maximum");
}

static void end_of_the_peer(void) {
        PAIR pair = pair_new();

        (void) shutdown(pair.raw, SHUT_RDWR);
        is_number(rpc_peer_read(pair.peer, NULL), 0, "the end is 0");
}

/* Two messages in one write, each with its own descriptors. */
static void descriptors_go_to_their_message(void) {
        PAIR pair = pair_new();
        const char *lines = "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"fds\":1}\n"
                            "{\"jsonrpc\":\"2.0\",\"method\":\"b\",\"fds\":2}\n";
        RpcMessage message = RPC_MESSAGE_EMPTY;
        int ends[2], fds[3];

        ok(pipe(ends) == 0, "a pipe");
        fds[0] = ends[1];
        fds[1] = fds[2] = ends[0];
        (void) fds_send(pair.raw, lines, strlen(lines), fds, 3);
        (void) rpc_peer_read(pair.peer, NULL);
        is_number(rpc_peer_next(pair.peer, &message, NULL), 1, "the first");
        is_number(message.n_fds, 1, "has one");
        ok((fcntl(message.fds[0], F_GETFL) & O_ACCMODE) == O_WRONLY, "its own");
        ok(!json_get(message.json, "fds"), "the count was taken out");
        rpc_message_deinit(&message);
        is_number(rpc_peer_next(pair.peer, &message, NULL), 1, "the second");
        is_number(message.n_fds, 2, "has two");
        rpc_message_deinit(&message);
        fds_close(ends, 2);
}

static void there_and_back(void) {
        PAIR pair = pair_new();
        RpcPeer *other = NULL;
        SCOPED(json_free) cJSON *request = rpc_request(5, "jail.create", cJSON_CreateObject());
        RpcMessage message = RPC_MESSAGE_EMPTY;
        int fds[RPC_FDS_PER_MESSAGE + 1] = { 0, 1 };

        (void) rpc_peer_new_consume(dup(pair.raw), &other);
        is_number(rpc_peer_send(pair.peer, request, fds, RPC_FDS_PER_MESSAGE + 1), -EINVAL,
                  "too many descriptors");
        is_number(rpc_peer_send(pair.peer, request, fds, 2), 0, "a request with two");
        (void) rpc_peer_read(other, NULL);
        is_number(rpc_peer_next(other, &message, NULL), 1, "arrives");
        is_number(message.n_fds, 2, "with them");
        is_number(json_get(message.json, "id")->valueint, 5, "and its id");
        rpc_message_deinit(&message);
        other = rpc_peer_free(other);
}

static void forms_of_messages(void) {
        SCOPED(json_free) cJSON *id = cJSON_CreateString("x");
        SCOPED(json_free) cJSON *note = rpc_request(0, "n", NULL);
        SCOPED(json_free) cJSON *result = rpc_result(id, NULL);
        SCOPED(json_free) cJSON *error = rpc_error(NULL, RPC_PARSE, "no", cJSON_CreateObject());
        autofree char *note_text = json_print(note);
        autofree char *result_text = json_print(result);
        autofree char *error_text = json_print(error);

        is_text(note_text, "{\"jsonrpc\":\"2.0\",\"method\":\"n\"}", "a notification");
        is_text(result_text, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":null}", "an answer");
        is_text(error_text,
                "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"no\","
                "\"data\":{}}}",
                "a failure");
}

static void count_notes(const RpcMessage *message, void *userdata) {
        unsigned *notes = userdata;

        *notes += json_text(message->json, "method") != NULL;
}

static void calls(void) {
        PAIR pair = pair_new();
        const char *lines = "{\"jsonrpc\":\"2.0\",\"method\":\"note\"}\n"
                            "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":0}\n"
                            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}\n";
        RpcMessage answer = RPC_MESSAGE_EMPTY;
        Error err = ERROR_EMPTY;
        unsigned notes = 0;

        (void) fds_send(pair.raw, lines, strlen(lines), NULL, 0);
        is_number(rpc_call(pair.peer, rpc_request(1, "m", NULL), NULL, 0, count_notes, &notes,
                           &answer, &err),
                  0, "a call");
        ok(json_true(answer.json, "result"), "gets the answer of its id");
        is_number(notes, 1, "and hands notifications on");
        rpc_message_deinit(&answer);
        (void) shutdown(pair.raw, SHUT_RDWR);
        ok(rpc_call(pair.peer, rpc_request(2, "m", NULL), NULL, 0, NULL, NULL, &answer, &err) < 0,
           "a peer that went away ends it: %s", err.text);
}

/* Short lines must not cost a move of the whole buffer each. */
static void many_short_lines(void) {
        PAIR pair = pair_new();
        RpcMessage message = RPC_MESSAGE_EMPTY;
        unsigned bad = 0, i;
        char lines[60000];

        for (i = 0; i < sizeof(lines); i += 2) {
                lines[i] = '1';
                lines[i + 1] = '\n';
        }
        (void) fds_send(pair.raw, lines, sizeof(lines), NULL, 0);
        (void) rpc_peer_read(pair.peer, NULL);
        while (rpc_peer_next(pair.peer, &message, NULL) == RPC_INVALID)
                bad++;
        is_number(bad, 30000, "thirty thousand lines in one read");
}

int main(void) {
        lines_that_are_no_message();
        wrong_counts_of_descriptors();
        surplus_descriptors();
        descriptors_without_end();
        line_without_end();
        long_line_behind_another();
        peer_that_does_not_read();
        too_long_to_send();
        a_bad_line_costs_only_itself();
        end_of_the_peer();
        descriptors_go_to_their_message();
        there_and_back();
        forms_of_messages();
        calls();
        many_short_lines();
        return tap_end();
}

/*
 * fake-agent: stands in warder-agent's place and behaves badly. The task's request says how: the words of
 * it are done in order. What it is answered it tells as events "notice", which the test reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rpc-call.h"

#define SOCKET      3
#define LONG        (2u << 20)
#define MANY        200000
#define MANY_FDS    100
#define HOARD       170 /* commits that remember 900 KB each */
#define FLIPS       3000
#define OVERFULL    80 /* commits, the outputs of which are 72 MB */
#define QUESTIONS   8
#define MERGES      4
#define MERGED_FORK "1"

static uint64_t last_id;

/* Until it is ended */
static void stay(void) {
        for (;;)
                (void) poll(NULL, 0, -1);
}

static void tell(RpcPeer *peer, const char *about, const cJSON *answer) {
        const cJSON *code = json_at(answer, "/error/code"),
                    *state = json_at(answer, "/result/state");
        const char *word = json_text(json_at(answer, "/error/data"), "code");
        cJSON *params = cJSON_CreateObject(), *data;
        SCOPED(json_free) cJSON *message = NULL;
        char text[160];

        (void) snprintf(text, sizeof(text), "%s: %d %s%s%s", about, code ? code->valueint : 0,
                        word ? word : "", state ? state->valuestring : "",
                        json_get(answer, "result") ? "result" : "");
        json_add_text(params, "event", "notice");
        data = json_add_object(params, "data");
        json_add_text(data, "text", text);
        message = rpc_request(0, "event", params);
        (void) rpc_peer_send(peer, message, NULL, 0);
}

static void ask(RpcPeer *peer, const char *about, const char *method, const char *params) {
        RpcMessage answer = RPC_MESSAGE_EMPTY;
        cJSON *json = NULL;
        Error err = ERROR_EMPTY;

        (void) json_parse(params, strlen(params), 0, &json, NULL);
        if (rpc_call(peer, rpc_request(++last_id, method, json), NULL, 0, NULL, NULL, &answer,
                     &err) < 0)
                _exit(9);
        tell(peer, about, answer.json);
        rpc_message_deinit(&answer);
}

/* Bytes past the peer: a line of our own, and its answer, which has id null */
static void raw(RpcPeer *peer, const char *about, const char *line) {
        RpcMessage answer = RPC_MESSAGE_EMPTY;
        Error err = ERROR_EMPTY;

        if (fd_write_all(SOCKET, line, strlen(line)) < 0)
                _exit(9);
        while (rpc_peer_next(peer, &answer, &err) != 1)
                if (rpc_peer_read(peer, &err) == 0)
                        _exit(9);
        tell(peer, about, answer.json);
        rpc_message_deinit(&answer);
}

static void do_lines(RpcPeer *peer) {
        raw(peer, "garbage", "not json\n");
        raw(peer, "array", "[]\n");
        raw(peer, "no method", "{\"jsonrpc\":\"2.0\",\"id\":70}\n");
        ask(peer, "unknown", "jail.create", "{}");
        ask(peer, "type", "exec", "{\"command\":7}");
        ask(peer, "both", "exec", "{\"command\":\"true\",\"argv\":[\"true\"]}");
        ask(peer, "field", "verify", "{\"verdict\":\"passed\"}");
        ask(peer, "outside", "open", "{\"path\":\"/proc/1/environ\",\"flags\":[\"read\"]}");
        ask(peer, "missing", "open", "{\"path\":\"/work/none\",\"flags\":[\"read\"]}");
        ask(peer, "ask", "ask", "{}");
        ask(peer, "own", "task.approve", "{\"task\":\"t-aaaaaaaaaa\"}");
        ask(peer, "regex", "search", "{\"kind\":\"grep\",\"pattern\":\"(\"}");
        ask(peer, "dotdot", "search",
            "{\"kind\":\"glob\",\"pattern\":\"*\",\"path\":\"../../etc\"}");
        ask(peer, "event", "event", "{\"event\":\"task.state\",\"data\":{\"state\":\"verified\"}}");
}

static void do_long(void) {
        static char line[LONG];

        memset(line, 'x', sizeof(line));
        (void) fd_write_all(SOCKET, line, sizeof(line));
        stay();
}

static void do_fd(RpcPeer *peer) {
        SCOPED(json_free) cJSON *message = rpc_request(++last_id, "verify", NULL);
        const int fd = 0;

        (void) rpc_peer_send(peer, message, &fd, 1);
        stay();
}

/* One message past the peer, with as many descriptors as the kernel lets pass */
static void send_many(const char *bytes, const int *fds, unsigned n_fds) {
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(MANY_FDS * sizeof(int))];
        } control = { 0 };
        struct iovec iov = { (void *) (uintptr_t) bytes, strlen(bytes) };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control };
        struct cmsghdr *head;

        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(head), fds, n_fds * sizeof(int));
        if (sendmsg(SOCKET, &message, MSG_NOSIGNAL) < 0 && errno != EPIPE)
                _exit(9);
}

/* More descriptors than one message may have, or more than may wait for a line that takes them */
static void do_many(unsigned n_fds, unsigned times) {
        int fds[MANY_FDS] = { 0 };

        for (unsigned i = 0; i < times; i++)
                send_many(" ", fds, n_fds);
        _exit(3); /* the front may see its end before its words */
}

/* Of kinds that a front must not hold: sockets, what the kernel serves, a directory, a queue of descriptors */
static void do_kinds(void) {
        int pair[2], pipes[2];

        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || pipe(pipes) < 0)
                _exit(9);
        send_many("{\"jsonrpc\":\"2.0\",\"id\":80,\"method\":\"verify\",\"fds\":6}\n",
                  (int[]){ pair[0], pipes[0], open("/proc/self/status", O_RDONLY),
                           open("/", O_RDONLY | O_DIRECTORY), open("/dev/zero", O_RDONLY), SOCKET },
                  6);
        stay();
}

static void do_deaf(void) {
        static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"nosuchmethod\"}\n";

        for (unsigned i = 0; i < MANY; i++)
                if (fd_write_all(SOCKET, line, sizeof(line) - 1) < 0)
                        break;
        stay();
}

/* Two at once: the second is refused, the first goes on */
static void do_twice(RpcPeer *peer) {
        SCOPED(json_free) cJSON *first = rpc_request(++last_id, "verify", NULL);
        RpcMessage answer = RPC_MESSAGE_EMPTY;
        Error err = ERROR_EMPTY;

        (void) rpc_peer_send(peer, first, NULL, 0);
        ask(peer, "second", "verify", "{}");
        while (rpc_peer_next(peer, &answer, &err) != 1)
                if (rpc_peer_read(peer, &err) == 0)
                        _exit(9);
        tell(peer, "first", answer.json);
        rpc_message_deinit(&answer);
}

/* Says that it is done and does not wait for what the supervisor says */
static void do_leave(RpcPeer *peer) {
        cJSON *params = cJSON_CreateObject();
        SCOPED(json_free) cJSON *message = NULL;

        json_add_text(params, "state", "done");
        message = rpc_request(++last_id, "finish", params);
        (void) rpc_peer_send(peer, message, NULL, 0);
        _exit(0);
}

/* Events as fast as they are taken; the last request says when all were */
static void do_flood(RpcPeer *peer) {
        static char text[8000];

        memset(text, 'e', sizeof(text) - 1);
        (void) sleep(1); /* the watcher is there */
        for (unsigned i = 0; i < 1000; i++) {
                cJSON *params = cJSON_CreateObject(), *data;
                SCOPED(json_free) cJSON *message = NULL;

                json_add_text(params, "event", "notice");
                data = json_add_object(params, "data");
                json_add_text(data, "text", text);
                message = rpc_request(0, "event", params);
                while (rpc_peer_send(peer, message, NULL, 0) == -ENOBUFS)
                        (void) usleep(1000);
        }
        ask(peer, "flood", "checkpoint", "{\"path\":\"a\",\"output\":{}}");
        (void) sleep(1);
}

/* Thirty commands that nobody waits for */
static void do_murmur(RpcPeer *peer) {
        for (unsigned i = 0; i < 40; i++) {
                cJSON *params = cJSON_CreateObject();
                SCOPED(json_free) cJSON *message = NULL;

                json_add_text(params, "command", "sleep 3");
                message = rpc_request(0, "exec", params);
                cJSON_DeleteItemFromObject(message, "id");
                (void) rpc_peer_send(peer, message, NULL, 0);
        }
        (void) rpc_peer_flush(peer);
        (void) sleep(6); /* they are over, and there is room again */
}

/* Asks for a verdict, and tells a field of the answer, the last lines of it */
static void do_verify_telling(RpcPeer *peer, const char *field) {
        RpcMessage answer = RPC_MESSAGE_EMPTY;
        cJSON *params = cJSON_CreateObject(), *data;
        SCOPED(json_free) cJSON *message = NULL;
        const char *text;
        Error err = ERROR_EMPTY;

        if (rpc_call(peer, rpc_request(++last_id, "verify", NULL), NULL, 0, NULL, NULL, &answer,
                     &err) < 0)
                _exit(9);
        text = json_text(json_get(answer.json, "result"), field);
        text = text && strlen(text) > 200 ? text + strlen(text) - 200 : text;
        json_add_text(params, "event", "notice");
        data = json_add_object(params, "data");
        json_add_text(data, "text", text ? text : "nothing");
        message = rpc_request(0, "event", params);
        (void) rpc_peer_send(peer, message, NULL, 0);
        rpc_message_deinit(&answer);
}

#define TEN_WORDS "tidy names tidy names tidy names tidy names tidy names "
#define LONG_LINE TEN_WORDS TEN_WORDS TEN_WORDS TEN_WORDS TEN_WORDS

/* Questions of each kind, by their parameters; all but park's want the agent to stay as it is */
static const struct {
        const char *word, *params;
} questions[] = {
        { "ask-plan",
          "{\"stay\":true,\"path\":\"review\",\"about\":\"plan\",\"text\":\"Is the plan good?\","
          "\"plan\":\"let sum() begin at 0\\n\\u001b[31mthen rest\"}" },
        { "ask-again", "{\"stay\":true,\"path\":\"review\",\"about\":\"plan\",\"text\":\"Is the "
                       "new plan good?\"}" },
        { "ask-short",
          "{\"stay\":true,\"path\":\"short\",\"about\":\"push\",\"text\":\"May it go out?\","
          "\"wait_usec\":1000000}" },
        { "ask-choice",
          "{\"stay\":true,\"path\":\"which\",\"text\":\"Which one?\",\"choices\":[\"red\","
          "\"blue\"]}" },
        { "ask-otherwise",
          "{\"stay\":true,\"path\":\"which\",\"text\":\"Which one?\",\"choices\":[\"red\","
          "\"blue\"],\"otherwise\":\"blue\",\"wait_usec\":1000000}" },
        { "ask-form", "{\"stay\":true,\"path\":\"form\",\"text\":\"How "
                      "many?\",\"schema\":{\"type\":\"integer\","
                      "\"minimum\":1}}" },
        { "ask-regex",
          "{\"stay\":true,\"path\":\"form\",\"text\":\"What?\",\"schema\":{\"type\":\"string\","
          "\"pattern\":\"^((a+)+)+$\"}}" },
        { "ask-nested",
          "{\"stay\":true,\"path\":\"form\",\"text\":\"What?\",\"schema\":{\"items\":{"
          "\"anyOf\":[{\"$ref\":\"#\"}]}}}" },
        { "ask-both",
          "{\"stay\":true,\"path\":\"form\",\"text\":\"What?\",\"choices\":[\"a\",\"b\"],"
          "\"schema\":{}}" },
        { "ask-yes", "{\"stay\":true,\"path\":\"yes\",\"about\":\"deploy\",\"text\":\"Deploy?\","
                     "\"otherwise\":\"approved\"}" },
        { "ask-time", "{\"stay\":true,\"path\":\"nap\",\"about\":\"time\",\"text\":\"sleep\"}" },
        { "ask-hide",
          "{\"stay\":true,\"path\":\"hide\",\"about\":\"plan\",\"text\":\"May I tidy up?\\n"
          "  asked 2026-01-01T00:00:00.000Z, waits until tomorrow\\n  who may answer: owner\\n"
          "\\n \\n\\t\\n\\n\\n\\n\\n\\n\\n\\n\\nthe tail of the text\",\"plan\":\"" LONG_LINE
                  LONG_LINE LONG_LINE
          "and then drop the tests\\nall is \\udb40\\udd41\\udb40\\udd42\\ufe01\\u2062well\"}" },
        { "ask-park", "{\"path\":\"park\",\"about\":\"apply\",\"text\":\"May it be applied?\"}" },
};

/* What people said is told as "WORD: decision answer comment" */
static void tell_answer(RpcPeer *peer, const char *word, const cJSON *answer) {
        const cJSON *result = json_get(answer, "result");
        autofree char *value = json_print(json_get(result, "answer"));
        const char *code = json_text(json_at(answer, "/error/data"), "code");
        cJSON *params = cJSON_CreateObject(), *data;
        SCOPED(json_free) cJSON *message = NULL;
        char text[400];

        (void) snprintf(text, sizeof(text), "%s: %s %s %s", word,
                        code ? code : json_text(result, "decision"), value ? value : "",
                        json_text(result, "comment") ? json_text(result, "comment") : "");
        json_add_text(params, "event", "notice");
        data = json_add_object(params, "data");
        json_add_text(data, "text", text);
        message = rpc_request(0, "event", params);
        (void) rpc_peer_send(peer, message, NULL, 0);
}

static void do_question(RpcPeer *peer, const char *word) {
        for (unsigned i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
                RpcMessage answer = RPC_MESSAGE_EMPTY;
                cJSON *json = NULL;
                Error err = ERROR_EMPTY;

                if (strcmp(word, questions[i].word) != 0)
                        continue;
                (void) json_parse(questions[i].params, strlen(questions[i].params), 0, &json, NULL);
                if (rpc_call(peer, rpc_request(++last_id, "ask", json), NULL, 0, NULL, NULL,
                             &answer, &err) < 0)
                        _exit(9);
                tell_answer(peer, word, answer.json);
                rpc_message_deinit(&answer);
        }
}

/* Asks, and does not wait for what people say: it claims the time until then for itself */
static void do_impatient(RpcPeer *peer) {
        SCOPED(json_free) cJSON *message = NULL;
        cJSON *json = NULL;

        (void) json_parse(questions[0].params, strlen(questions[0].params), 0, &json, NULL);
        message = rpc_request(++last_id, "ask", json);
        (void) rpc_peer_send(peer, message, NULL, 0);
        (void) sleep(1);
        ask(peer, "impatient", "exec", "{\"command\":\"sleep 60\"}");
}

/* One question that nobody waits for yet: of @n bytes that are six each in JSON */
static void send_question(RpcPeer *peer, const char *path, size_t n, bool more) {
        autofree char *plan = calloc(1, n + 1);
        cJSON *params = cJSON_CreateObject();
        SCOPED(json_free) cJSON *message = NULL;

        if (!plan)
                _exit(9);
        memset(plan, 1, n);
        json_add_text(params, "path", path);
        json_add_text(params, "about", "plan");
        json_add_text(params, "text", n > 1 ? "Is this readable?" : "Is that better?");
        json_add_text(params, "plan", plan);
        json_add_bool(params, "more", more);
        message = rpc_request(++last_id, "ask", params);
        (void) rpc_peer_send(peer, message, NULL, 0);
}

/* As many questions as may be open, each as large as it may be */
static void do_questions(RpcPeer *peer) {
        char path[16];

        for (unsigned i = 0; i < QUESTIONS; i++) {
                (void) snprintf(path, sizeof(path), "ask[%u]", i);
                send_question(peer, path, 65536, i + 1 < QUESTIONS);
        }
        while (rpc_peer_flush(peer) == 0)
                (void) usleep(100000);
}

/* Two at one place: what the first one hears, before the second one is answered */
static void do_replace(RpcPeer *peer) {
        RpcMessage answer = RPC_MESSAGE_EMPTY;
        Error err = ERROR_EMPTY;

        send_question(peer, "same", 2, true);
        send_question(peer, "same", 1, true);
        (void) fd_set_nonblock(SOCKET, false);
        while (rpc_peer_next(peer, &answer, &err) != 1)
                if (rpc_peer_read(peer, &err) == 0)
                        _exit(9);
        tell(peer, "replace", answer.json);
        rpc_message_deinit(&answer);
}

/* A commit under @path, whose @member is @n bytes and the output of which is told as @about, where it is not NULL */
static void commit(RpcPeer *peer, const char *path, const char *member, size_t n,
                   const char *about) {
        SCOPED(json_free) cJSON *params = cJSON_CreateObject();
        autofree char *text = calloc(1, n + 1), *line = NULL;
        RpcMessage answer = RPC_MESSAGE_EMPTY;
        Error err = ERROR_EMPTY;

        if (!text)
                _exit(9);
        memset(text, 'x', n);
        json_add_text(params, "path", path);
        json_add_text(json_add_object(params, member), "text", text);
        if (rpc_call(peer, rpc_request(++last_id, "checkpoint", TAKE_PTR(params)), NULL, 0, NULL,
                     NULL, &answer, &err) < 0)
                _exit(9);
        if (about || json_get(answer.json, "error"))
                tell(peer, about ? about : "refused", answer.json);
        rpc_message_deinit(&answer);
}

/* Steps beside one another, none of which supersedes another, and each has something new to remember */
static void do_hoard(RpcPeer *peer) {
        char path[32];

        for (unsigned i = 0; i < HOARD; i++) {
                (void) snprintf(path, sizeof(path), "each[%u]", i);
                commit(peer, path, "state", 900000, i == HOARD - 1 ? "hoard" : NULL);
        }
}

/* More than a journal holds: the last of them is refused */
static void do_overfull(RpcPeer *peer) {
        char path[32];

        for (unsigned i = 0; i < OVERFULL; i++) {
                (void) snprintf(path, sizeof(path), "each[%u]", i);
                commit(peer, path, "output", 900000, i == OVERFULL - 1 ? "overfull" : NULL);
        }
}

static bool has_committed(RpcPeer *peer) {
        RpcMessage answer = RPC_MESSAGE_EMPTY;
        Error err = ERROR_EMPTY;
        bool has;

        if (rpc_call(peer, rpc_request(++last_id, "task.info", NULL), NULL, 0, NULL, NULL, &answer,
                     &err) < 0)
                _exit(9);
        has = cJSON_GetArraySize(json_at(answer.json, "/result/journal/commits")) > 0;
        rpc_message_deinit(&answer);
        return has;
}

/* Does nothing, for ever; pause(2) is none of an agent's calls */
static void do_rest(RpcPeer *peer) {
        (void) peer;
        for (;;)
                (void) sleep(3600);
}

/* Uses processor time in a fork, in its first run; in a later one it does nothing */
static void do_elsewhere(RpcPeer *peer) {
        if (!has_committed(peer)) {
                commit(peer, "step", "output", 1, NULL);
                ask(peer, "fork", "fork", "{}");
                ask(peer, "elsewhere", "exec", "{\"fork\":1,\"command\":\"while :; do :; done\"}");
        }
        do_rest(peer);
}

static ino_t journal_inode(RpcPeer *peer) {
        RpcMessage answer = RPC_MESSAGE_EMPTY;
        Error err = ERROR_EMPTY;
        struct stat st = { 0 };

        if (rpc_call(peer, rpc_request(++last_id, "task.info", NULL), NULL, 0, NULL, NULL, &answer,
                     &err) < 0)
                _exit(9);
        if (answer.n_fds != 2 || fstat(answer.fds[1], &st) < 0 || dup(answer.fds[1]) < 0)
                _exit(9);
        rpc_message_deinit(&answer);
        return st.st_ino;
}

/* Asks for a large journal again and again, and keeps what it gets */
static void do_journal(RpcPeer *peer) {
        ino_t first, second;
        char path[16];

        for (unsigned i = 0; i < 3; i++) {
                (void) snprintf(path, sizeof(path), "part[%u]", i);
                commit(peer, path, "output", 100000, NULL);
        }
        first = journal_inode(peer);
        commit(peer, "part[3]", "output", 100000, NULL);
        second = journal_inode(peer);
        tell(peer,
             first == 0        ? "journal: none"
             : first == second ? "journal: the same file"
                               : "journal: another file",
             NULL);
}

/* Asks, and then says in turns that it waits and that it works */
static void do_flip(RpcPeer *peer) {
        SCOPED(json_free) cJSON *message = NULL;
        cJSON *json = NULL;

        (void) json_parse(questions[0].params, strlen(questions[0].params), 0, &json, NULL);
        message = rpc_request(++last_id, "ask", json);
        (void) rpc_peer_send(peer, message, NULL, 0);
        (void) sleep(
                3); /* the patch is made by then, or while the first of them are not believed */
        for (unsigned i = 0; i < FLIPS; i++) {
                RpcMessage answer = RPC_MESSAGE_EMPTY;
                Error err = ERROR_EMPTY;

                if (rpc_call(peer,
                             rpc_request(++last_id, i % 2 ? "idle" : "event",
                                         i % 2 ? NULL : cJSON_Parse("{\"event\":\"notice\"}")),
                             NULL, 0, NULL, NULL, &answer, &err) < 0)
                        _exit(9);
                rpc_message_deinit(&answer);
        }
}

/* Of one answer: is it one, how many bytes does its descriptor keep alive; the descriptor stays open */
static off_t merge_kept(RpcPeer *peer, RpcMessage *ret) {
        struct stat st = { 0 };
        Error err = ERROR_EMPTY;

        if (rpc_call(peer,
                     rpc_request(++last_id, "merge", cJSON_Parse("{\"fork\":" MERGED_FORK "}")),
                     NULL, 0, NULL, NULL, ret, &err) < 0 ||
            (ret->n_fds > 0 && fstat(ret->fds[0], &st) < 0))
                _exit(9);
        tell(peer, "merge", ret->json);
        return st.st_size;
}

static void tell_bytes(RpcPeer *peer, const char *about, uint64_t bytes) {
        char text[80];

        (void) snprintf(text, sizeof(text), "%s %llu MB", about,
                        (unsigned long long) (bytes / 1000000));
        tell(peer, text, NULL);
}

static void tell_number(RpcPeer *peer, const char *about, const cJSON *number) {
        char text[80];

        (void) snprintf(text, sizeof(text), "%s %d", about, number ? number->valueint : -1);
        tell(peer, text, NULL);
}

/* Merges of forty megabytes each: it keeps what it gets, and reads none of it; then it reads the first */
static void do_merges(RpcPeer *peer) {
        RpcMessage answers[MERGES + 1];
        static char bytes[1 << 16];
        uint64_t kept = 0, got = 0;
        ssize_t n;

        ask(peer, "fork", "fork", "{}");
        ask(peer, "big", "exec",
            "{\"fork\":" MERGED_FORK ",\"command\":\"head -c 40000000 /dev/zero >big\"}");
        for (unsigned i = 0; i < MERGES; i++) {
                answers[i] = RPC_MESSAGE_EMPTY;
                kept += (uint64_t) merge_kept(peer, &answers[i]);
        }
        tell_bytes(peer, "kept", kept);
        while ((n = read(answers[0].fds[0], bytes, sizeof(bytes))) > 0)
                got += (uint64_t) n;
        tell_bytes(peer, "read", got);
        answers[MERGES] = RPC_MESSAGE_EMPTY;
        (void) merge_kept(peer, &answers[MERGES]);
}

#define CLASHING(WHO)                                                                           \
        "d=$(printf %0240d 1 | tr 0 '\\\\134'); for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do " \
        "mkdir \\\"$d\\\" && cd \\\"$d\\\" || exit 1; done; "                                   \
        "for i in $(seq 220); do echo " WHO " >$i; done"

/* More conflicts than an answer has room for, by the longest names, each byte of which is two or four in JSON */
static void do_clashes(RpcPeer *peer) {
        RpcMessage answer = RPC_MESSAGE_EMPTY;

        ask(peer, "fork", "fork", "{}");
        ask(peer, "theirs", "exec",
            "{\"fork\":" MERGED_FORK ",\"command\":\"" CLASHING("theirs") "\"}");
        ask(peer, "ours", "exec", "{\"command\":\"" CLASHING("ours") "\"}");
        (void) merge_kept(peer, &answer);
        tell_number(peer, "conflicting", json_at(answer.json, "/result/conflicting"));
        rpc_message_deinit(&answer);
}

/* A command that it does not wait for */
static void do_linger(RpcPeer *peer) {
        cJSON *params = cJSON_CreateObject();
        SCOPED(json_free) cJSON *message = NULL;

        json_add_text(params, "command", "sleep 100");
        message = rpc_request(++last_id, "exec", params);
        (void) rpc_peer_send(peer, message, NULL, 0);
}

/* Words that are a command of the shell each */
static const struct {
        const char *word, *params;
} commands[] = {
        { "pad", "{\"command\":\"echo >>src/sum.c\"}" },
        { "one", "{\"command\":\"sed -i 's/total = .;/total = 4;/' src/sum.c\"}" },
        { "two", "{\"command\":\"sed -i 's/total = .;/total = 0;/' src/sum.c\"}" },
        { "burn", "{\"command\":\"setsid sh -c 'while :; do :; done' >/dev/null 2>&1 &\"}" },
        { "sleep", "{\"command\":\"sleep 30\"}" },
        { "reach", "{\"command\":\"sh ./reach.sh\"}" },
        { "change", "{\"command\":\"sh ./change.sh\"}" },
        { "shout", "{\"command\":\"head -c 1500000 /dev/zero | tr '\\\\0' x\"}" },
        { "endless", "{\"command\":\"yes\"}" },
};

static void do_command(RpcPeer *peer, const char *word) {
        for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
                if (strcmp(word, commands[i].word) == 0)
                        ask(peer, word, "exec", commands[i].params);
}

static const struct {
        const char *word;
        void (*run)(RpcPeer *peer);
} deeds[] = {
        { "lines", do_lines },         { "fd", do_fd },
        { "twice", do_twice },         { "flood", do_flood },
        { "murmur", do_murmur },       { "leave", do_leave },
        { "hoard", do_hoard },         { "questions", do_questions },
        { "replace", do_replace },     { "overfull", do_overfull },
        { "elsewhere", do_elsewhere }, { "journal", do_journal },
        { "rest", do_rest },           { "flip", do_flip },
        { "linger", do_linger },       { "impatient", do_impatient },
        { "merges", do_merges },       { "clashes", do_clashes },
};

static void do_word(RpcPeer *peer, const char *word) {
        for (unsigned i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
                if (strcmp(word, deeds[i].word) == 0) {
                        deeds[i].run(peer);
                        return;
                }
        if (strcmp(word, "long") == 0)
                do_long();
        else if (strcmp(word, "kinds") == 0)
                do_kinds();
        else if (strcmp(word, "ahead") == 0)
                do_many(30, 2);
        else if (strcmp(word, "crowd") == 0)
                do_many(MANY_FDS, 1);
        else if (strcmp(word, "deaf") == 0)
                do_deaf();
        else if (strcmp(word, "done") == 0)
                ask(peer, "finish", "finish",
                    "{\"state\":\"done\",\"summary\":\"all tests pass\"}");
        else if (strcmp(word, "mend") == 0)
                ask(peer, "mend", "exec", "{\"command\":\"sed -i s/i.=.1/i=0/ src/sum.c\"}");
        else if (strcmp(word, "verify") == 0)
                ask(peer, "verify", "verify", "{}");
        else if (strcmp(word, "spoil") == 0)
                ask(peer, "spoil", "exec", "{\"command\":\"echo spoilt >>src/sum.c\"}");
        else if (strcmp(word, "exec") == 0)
                ask(peer, "exec", "exec", "{\"command\":\"true\"}");
        else if (strcmp(word, "crash") == 0)
                (void) raise(SIGSEGV);
        else if (strcmp(word, "commit") == 0)
                commit(peer, "step", "output", 1, NULL);
        else if (strcmp(word, "nap") == 0)
                (void) usleep(500000);
        else if (strncmp(word, "ask-", 4) == 0)
                do_question(peer, word);
        else if (strcmp(word, "budget") == 0 || strcmp(word, "digest") == 0)
                do_verify_telling(peer, word);
        else
                do_command(peer, word);
}

int main(void) {
        RpcMessage info = RPC_MESSAGE_EMPTY;
        char words[256], *save = NULL;
        RpcPeer *peer = NULL;
        Error err = ERROR_EMPTY;

        (void) signal(SIGPIPE, SIG_IGN);
        if (rpc_peer_new_consume(SOCKET, &peer) < 0 ||
            rpc_call(peer, rpc_request(++last_id, "task.info", NULL), NULL, 0, NULL, NULL, &info,
                     &err) < 0)
                return 9;
        (void) snprintf(words, sizeof(words), "%s",
                        json_text(json_get(info.json, "result"), "request"));
        rpc_message_deinit(&info);
        (void) fd_set_nonblock(SOCKET, false);
        for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save))
                do_word(peer, word);
        return 3;
}

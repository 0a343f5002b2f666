/*
 * link: calls over base/rpc.h. What the supervisor sends unasked (nothing today) is read and dropped, so
 * that a supervisor of a later version can say more.
 *
 * The supervisor refuses what is more than it takes at once; so calls stand in a line here, in the order in which they
 * were made, and the first of the line are under way. Questions have a line of their own: people take days.
 */
#include "agent/link.h"

#include <stdio.h>
#include <string.h>

/* What lasts; every other call is short, and is waited for whatever ends meanwhile. */
typedef struct Lasting {
        const char *method;
        unsigned most;  /* under way; 0: in the line of all others */
        bool outlasted; /* its end is not waited for: nothing of ours depends on it */
} Lasting;

static const Lasting lasting[] = {
        { .method = "exec" },
        { .method = "verify", .outlasted = true },
        { .method = "ask", .most = LINK_QUESTIONS_MAX, .outlasted = true },
};

/* One call; it lives on the stack of who waits for it. */
typedef struct LinkCall {
        struct LinkCall *next; /* made later */
        const Link *link;
        const Lasting *lasts; /* NULL: it is short */
        uint64_t id;
        RpcMessage answer; /* owned by link_call() */
        bool answered;
} LinkCall;

struct Link {
        RpcPeer *peer; /* owned */
        uint64_t last_id;
        LinkCall *calls; /* borrowed; in the order in which they were made */
        LinkWaitFn wait;
        void *waiter; /* borrowed */
};

int link_new_consume(int fd, Link **ret_link) {
        SCOPED(link_free) Link *link = calloc(1, sizeof(*link));
        int r;

        if (!link) {
                (void) close(fd);
                return -ENOMEM;
        }
        r = rpc_peer_new_consume(fd, &link->peer);
        if (r < 0)
                return r;
        *ret_link = TAKE_PTR(link);
        return 0;
}

Link *link_free(Link *link) {
        if (link)
                rpc_peer_free(link->peer);
        free(link);
        return NULL;
}

void link_answer_deinit(LinkAnswer *answer) {
        rpc_message_deinit(&answer->message);
        *answer = LINK_ANSWER_EMPTY;
}

/* The refusal as a sentence: message, the field it is about, and the hint. */
static int refused(const cJSON *error, LinkAnswer *answer, const char *method, Error *err) {
        const cJSON *data = json_get(error, "data");
        const char *message = json_text(error, "message");
        const char *code = json_text(data, "code");
        const char *path = json_text(data, "path");
        const char *hint = json_text(data, "hint");

        (void) snprintf(answer->code, sizeof(answer->code), "%s", code ? code : "invalid");
        (void) error_say(err, -EPROTO, "%s: %s%s%s%s%s%s", method, message ? message : "refused",
                         path && *path ? " (" : "", path ? path : "", path && *path ? ")" : "",
                         hint ? ": " : "", hint ? hint : "");
        return LINK_E_REFUSED;
}

static bool is_answered(const void *userdata) {
        const LinkCall *call = userdata;

        return call->answered;
}

static unsigned most_of(const LinkCall *call) {
        return call->lasts ? call->lasts->most : 0;
}

/* Is it among the first of its line? */
static bool may_go(const void *userdata) {
        const LinkCall *call = userdata;
        unsigned own = most_of(call), ahead = 0;

        for (const LinkCall *at = call->link->calls; at != call; at = at->next)
                ahead += most_of(at) == own;
        return ahead < (own ? own : LINK_CALLS_MAX);
}

static void line_up(Link *link, LinkCall *call) {
        LinkCall **at = &link->calls;

        while (*at)
                at = &(*at)->next;
        *at = call;
}

static void forget(Link *link, const LinkCall *call) {
        LinkCall **at = &link->calls;

        while (*at != call)
                at = &(*at)->next;
        *at = call->next;
}

/*
 * Nobody waits for it any more: the supervisor is told, and ends it. A command is waited for, which is short now: what
 * follows is to find a workspace in which it does not work on.
 */
static void give_up(Link *link, const LinkCall *call) {
        cJSON *params = cJSON_CreateObject();

        if (!json_add_number(params, "call", call->id)) {
                json_free(params);
                return;
        }
        if (link_notify(link, "cancel", params) == 0 && !call->lasts->outlasted)
                (void) link->wait(is_answered, call, true, link->waiter, NULL);
}

/* Send @request in its turn and wait for its answer, which the loop hands to @call. */
static int exchange(Link *link, const cJSON *request, LinkCall *call, Error *err) {
        int r = may_go(call) ? 0 : link->wait(may_go, call, false, link->waiter, err);

        if (r < 0)
                return r;
        r = rpc_peer_send(link->peer, request, NULL, 0);
        if (r == -EMSGSIZE)
                return r;
        if (r < 0)
                return error_say(err, -ECONNRESET, "the supervisor does not take the request");
        r = link->wait(is_answered, call, !call->lasts, link->waiter, err);
        if (call->lasts && (r == -ETIMEDOUT || r == -ECANCELED))
                give_up(link, call);
        return r;
}

/* What a model or a workflow made too long for a line ends a call, not the connection. */
static int too_long(const char *method, LinkAnswer *answer, Error *err) {
        (void) snprintf(answer->code, sizeof(answer->code), "invalid");
        (void) error_say(err, -EMSGSIZE, "%s: a request has at most %d bytes", method,
                         RPC_LINE_MAX);
        return LINK_E_REFUSED;
}

static int take_answer(LinkCall *call, const char *method, LinkAnswer *ret, Error *err) {
        const cJSON *error = json_get(call->answer.json, "error");

        ret->message = call->answer;
        call->answer = RPC_MESSAGE_EMPTY;
        if (error)
                return refused(error, ret, method, err);
        ret->result = json_get(ret->message.json, "result");
        return 0;
}

static const Lasting *lasting_find(const char *method) {
        for (unsigned i = 0; i < ELEMENTS(lasting); i++)
                if (strcmp(lasting[i].method, method) == 0)
                        return &lasting[i];
        return NULL;
}

int link_call(Link *link, const char *method, cJSON *params_consume, LinkAnswer *ret, Error *err) {
        SCOPED(json_free) cJSON *request = NULL;
        LinkCall call = { .link = link, .lasts = lasting_find(method), .id = ++link->last_id };
        int r;

        if (!params_consume)
                params_consume = cJSON_CreateObject();
        if (params_consume)
                request = rpc_request(call.id, method, params_consume);
        if (!request)
                return error_set(err, -ENOMEM, "%s", method);
        line_up(link, &call);
        r = exchange(link, request, &call, err);
        forget(link, &call);
        if (r >= 0)
                r = take_answer(&call, method, ret, err);
        else if (r == -EMSGSIZE)
                r = too_long(method, ret, err);
        else
                (void) error_add(err, r, "%s", method);
        rpc_message_deinit(&call.answer);
        return r;
}

bool link_is_busy(int r, const LinkAnswer *answer) {
        return r == LINK_E_REFUSED && strcmp(answer->code, "busy") == 0;
}

int link_take_fd_at(LinkAnswer *answer, unsigned i) {
        if (i >= answer->message.n_fds)
                return -EBADF;
        return TAKE_FD(answer->message.fds[i]);
}

int link_take_fd(LinkAnswer *answer) {
        return link_take_fd_at(answer, 0);
}

int link_notify(Link *link, const char *method, cJSON *params_consume) {
        SCOPED(json_free) cJSON *message = NULL;
        int r;

        if (!params_consume)
                return -ENOMEM;
        message = rpc_request(0, method, params_consume);
        if (!message)
                return -ENOMEM;
        r = rpc_peer_send(link->peer, message, NULL, 0);
        return r == -EMSGSIZE ? 0 : r; /* the supervisor would not keep it either */
}

void link_set_wait(Link *link, LinkWaitFn wait, void *waiter) {
        link->wait = wait;
        link->waiter = waiter;
}

int link_fd(const Link *link) {
        return rpc_peer_fd(link->peer);
}

bool link_is_sending(const Link *link) {
        return rpc_peer_waiting(link->peer) > 0;
}

/* What is no answer to a call under way is dropped. */
static void hand_over(Link *link, RpcMessage *message) {
        uint64_t id;

        if (json_get(message->json, "method") || json_number(message->json, "id", &id) < 0)
                return;
        for (LinkCall *call = link->calls; call; call = call->next) {
                if (call->id != id || call->answered)
                        continue;
                call->answer = *message;
                call->answered = true;
                *message = RPC_MESSAGE_EMPTY;
                return;
        }
}

static int take_messages(Link *link, Error *err) {
        for (;;) {
                RpcMessage message = RPC_MESSAGE_EMPTY;
                int r = rpc_peer_next(link->peer, &message, err);

                if (r > 0)
                        hand_over(link, &message);
                rpc_message_deinit(&message);
                if (r < 0 && r != RPC_PARSE && r != RPC_INVALID)
                        return error_say(err, -ECONNRESET, "the task socket is out of step");
                if (r == 0)
                        return 0;
        }
}

int link_turn(Link *link, bool readable, Error *err) {
        int taken = 0, r = 1;

        if (readable) {
                r = rpc_peer_read(link->peer, err);
                taken = take_messages(link, err);
        }
        if (r <= 0 || rpc_peer_flush(link->peer) < 0)
                return error_say(err, -ECONNRESET, "the supervisor closed the task socket");
        return taken;
}

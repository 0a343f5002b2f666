/*
 * link: calls over base/rpc.h. What the supervisor sends unasked (nothing today) is read and dropped, so
 * that a supervisor of a later version can say more.
 */
#include "agent/link.h"

#include <stdio.h>
#include <string.h>

#include "base/rpc-call.h"

struct Link {
        RpcPeer *peer; /* owned */
        uint64_t last_id;
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

int link_call(Link *link, const char *method, cJSON *params_consume, LinkAnswer *ret, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        cJSON *request;
        int r;

        if (!params_consume)
                params_consume = cJSON_CreateObject();
        if (!params_consume)
                return error_set(err, -ENOMEM, "%s", method);
        request = rpc_request(++link->last_id, method, params_consume);
        if (!request)
                return error_set(err, -ENOMEM, "%s", method);
        r = rpc_call(link->peer, request, NULL, 0, NULL, NULL, &answer.message, err);
        if (r < 0)
                return error_add(err, r, "%s", method);
        if (json_get(answer.message.json, "error"))
                r = refused(json_get(answer.message.json, "error"), &answer, method, err);
        else
                answer.result = json_get(answer.message.json, "result");
        *ret = answer;
        answer = LINK_ANSWER_EMPTY;
        return r;
}

int link_take_fd(LinkAnswer *answer) {
        if (answer->message.n_fds == 0)
                return -EBADF;
        return TAKE_FD(answer->message.fds[0]);
}

int link_notify(Link *link, const char *method, cJSON *params_consume) {
        SCOPED(json_free) cJSON *message = NULL;

        if (!params_consume)
                return -ENOMEM;
        message = rpc_request(0, method, params_consume);
        if (!message)
                return -ENOMEM;
        return rpc_peer_send(link->peer, message, NULL, 0);
}

int link_fd(const Link *link) {
        return rpc_peer_fd(link->peer);
}

int link_idle(Link *link, Error *err) {
        int r;

        r = rpc_peer_read(link->peer, err);
        if (r <= 0)
                return error_say(err, -ECONNRESET, "the supervisor closed the task socket");
        for (;;) {
                RpcMessage message = RPC_MESSAGE_EMPTY;

                r = rpc_peer_next(link->peer, &message, err);
                rpc_message_deinit(&message);
                if (r < 0 && r > -4096)
                        return error_say(err, -ECONNRESET, "the task socket is out of step");
                if (r == 0)
                        return 0;
        }
}

/*
 * rpc-call: see rpc-call.h.
 */
#include "base/rpc-call.h"

#include <poll.h>

static bool is_answer_to(const RpcMessage *message, const cJSON *id) {
        const cJSON *got = json_get(message->json, "id");

        return !json_get(message->json, "method") && got && id && cJSON_Compare(got, id, true);
}

/* Waits until the peer can be read, sending what waits meanwhile. */
static int wait_readable(RpcPeer *peer, Error *err) {
        struct pollfd poll_fd = { .fd = rpc_peer_fd(peer) };
        int r;

        do {
                poll_fd.events = rpc_peer_waiting(peer) ? POLLIN | POLLOUT : POLLIN;
                if (poll(&poll_fd, 1, -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        return error_set(err, -errno, "wait for the peer");
                }
                r = poll_fd.revents & POLLOUT ? rpc_peer_flush(peer) : 0;
                if (r < 0)
                        return error_set(err, r, "send to the peer");
        } while (!(poll_fd.revents & ~POLLOUT));
        r = rpc_peer_read(peer, err);
        if (r == 0)
                return error_say(err, -ECONNRESET, "the peer closed the connection");
        return r < 0 ? r : 0;
}

/* Takes messages until the answer to @id: 1 with it, 0 where more must be read. */
static int take_answer(RpcPeer *peer, const cJSON *id, RpcNotifyFn notify, void *userdata,
                       RpcMessage *ret) {
        int r;

        for (;;) {
                RpcMessage message = RPC_MESSAGE_EMPTY;

                r = rpc_peer_next(peer, &message, NULL);
                if (r <= 0)
                        return r == 0 ? 0 : -EPROTO;
                if (is_answer_to(&message, id)) {
                        *ret = message;
                        return 1;
                }
                if (notify)
                        notify(&message, userdata);
                rpc_message_deinit(&message);
        }
}

int rpc_call(RpcPeer *peer, cJSON *request_consume, const int *fds, unsigned n_fds,
             RpcNotifyFn notify, void *userdata, RpcMessage *ret, Error *err) {
        SCOPED(json_free) cJSON *request = request_consume;
        int r;

        if (!request)
                return error_set(err, -ENOMEM, "make a request");
        r = rpc_peer_send(peer, request, fds, n_fds);
        if (r < 0)
                return error_set(err, r, "send a request");
        for (;;) {
                r = take_answer(peer, json_get(request, "id"), notify, userdata, ret);
                if (r < 0)
                        return error_say(err, r, "the peer sent what is no message");
                if (r > 0)
                        return 0;
                r = wait_readable(peer, err);
                if (r < 0)
                        return r;
        }
}

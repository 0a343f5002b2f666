/*
 * rpc: bytes as a hostile peer sends them over a socket. The first byte says how many descriptors come
 * with the first send, and in how large pieces the rest arrives.
 */
#include "base/rpc.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "tests/fuzz/fuzz.h"

/* Takes what is whole; returns false where the peer is to be closed. */
static bool take_all(RpcPeer *peer) {
        RpcMessage message = RPC_MESSAGE_EMPTY;
        Error err = ERROR_EMPTY;
        int r;

        for (;;) {
                r = rpc_peer_next(peer, &message, &err);
                if (r == 0)
                        return true;
                if (r == 1) {
                        if (!cJSON_IsObject(message.json) || json_get(message.json, "fds"))
                                abort();
                        rpc_message_deinit(&message);
                        continue;
                }
                if (!err.text[0] || message.json)
                        abort();
                if (r != RPC_PARSE && r != RPC_INVALID)
                        return false;
        }
}

static void feed(RpcPeer *peer, int raw, const uint8_t *data, size_t n) {
        size_t piece = (size_t) (data[0] >> 4) * 16 + 1;
        unsigned n_fds = data[0] & 7;
        int fds[8] = { 0 };

        for (data++, n--; n > 0; n_fds = 0) {
                size_t now = n < piece ? n : piece;

                if (fds_send(raw, data, now, fds, n_fds) != (ssize_t) now)
                        abort();
                data += now;
                n -= now;
                if (rpc_peer_read(peer, NULL) < 0 || !take_all(peer))
                        return;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        SCOPED(rpc_peer_free) RpcPeer *peer = NULL;
        autoclose int raw = -EBADF;
        int ends[2];

        if (n == 0 || n > 100000 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return 0;
        raw = ends[1];
        if (rpc_peer_new_consume(ends[0], &peer) < 0)
                return 0;
        feed(peer, raw, data, n);
        return 0;
}

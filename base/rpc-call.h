#pragma once
/*
 * rpc-call: for clients that wait: one request, its answer, and what the peer says meanwhile.
 */
#include "base/rpc.h"

typedef void (*RpcNotifyFn)(const RpcMessage *message, void *userdata);

/**
 * rpc_call() - for clients: send a request and wait for its answer, handing notifications to @notify
 * @fds, @n_fds: borrowed descriptors to pass
 * @ret:         the whole answer message (result or error), owned by the caller
 *
 * Returns: 0 whether the answer is a result or an error; -ECONNRESET where the peer ended.
 */
int rpc_call(RpcPeer *peer, cJSON *request_consume, const int *fds, unsigned n_fds,
             RpcNotifyFn notify, void *userdata, RpcMessage *ret, Error *err);

#pragma once
/*
 * rpc: JSON-RPC 2.0 over a stream socket, one message a line, at most RPC_LINE_MAX bytes; descriptors by
 * SCM_RIGHTS. A message says in its top-level member "fds" how many descriptors it takes (absent: 0);
 * descriptors queue in the order they came and a message takes the oldest. Knows no event loop: the
 * owner polls rpc_peer_fd() for rpc_peer_events() and calls read, next, flush.
 */
#include <stdbool.h>

#include "base/fds.h"
#include "base/json.h"
#include "base/rpc-message.h"

#define RPC_LINE_MAX        (1024 * 1024)
#define RPC_FDS_PER_MESSAGE 8
#define RPC_FDS_QUEUED_MAX  32
#define RPC_OUT_MAX         (4 * 1024 * 1024) /* bytes that may wait for a peer that does not read */

typedef struct RpcPeer RpcPeer;

typedef struct RpcMessage {
        cJSON *json; /* owned by the message; "fds" was taken out */
        int fds[RPC_FDS_PER_MESSAGE];
        unsigned n_fds;
} RpcMessage;

#define RPC_MESSAGE_EMPTY ((RpcMessage){ 0 })

/*
 * Who stands between the peer's descriptors and us. A close(2) may wait for as long as the peer likes (a file
 * whose server is the peer's, a socket that lingers), so an owner that must not wait looks at each descriptor
 * before it is held, and closes the connection, in whose queue such may lie, in a way of its own.
 */
typedef struct RpcDoor {
        /* may more come in now? Nothing is read if not */
        bool (*is_open)(void *userdata, uint64_t who);
        /* takes @fd; returns it, or -EBADF in its place */
        int (*admit)(void *userdata, uint64_t who, int fd);
        /* takes the connection itself */
        void (*close)(void *userdata, uint64_t who, int fd);
        void *userdata; /* borrowed, outlives the peer */
        uint64_t who;   /* whose connection it is, as the owner of the door counts them */
} RpcDoor;

/** rpc_message_deinit() - free the tree and close descriptors that were not taken (>= 0) */
void rpc_message_deinit(RpcMessage *message);

/** rpc_peer_new_consume() - over @fd, made non-blocking. Returns: 0 or -ENOMEM (then @fd is closed) */
int rpc_peer_new_consume(int fd, RpcPeer **ret_peer);
/** rpc_peer_set_door() - before anything is read; what was not admitted counts as a descriptor of -EBADF */
void rpc_peer_set_door(RpcPeer *peer, const RpcDoor *door);
/** rpc_peer_free() - close all. Returns: NULL */
RpcPeer *rpc_peer_free(RpcPeer *peer);
DEFINE_SCOPED(RpcPeer *, rpc_peer_free);
/** rpc_peer_fd() - what to poll */
int rpc_peer_fd(const RpcPeer *peer);
/** rpc_peer_events() - EPOLLIN, and EPOLLOUT while something waits */
unsigned rpc_peer_events(const RpcPeer *peer);

/**
 * rpc_peer_read() - take in what is there
 * Returns: 1 open, 0 the peer closed, or negative errno: close it (-EDQUOT: its door is shut, tell it).
 */
int rpc_peer_read(RpcPeer *peer, Error *err);

/**
 * rpc_peer_next() - one whole message
 * Returns: 1 and @ret_message (owned by the caller); 0: none yet; RPC_PARSE or RPC_INVALID: a line
 *          that is no message (answer with id null and go on); -EPROTO: too long a line, or a wrong number
 *          of descriptors: close the peer.
 */
int rpc_peer_next(RpcPeer *peer, RpcMessage *ret_message, Error *err);

/**
 * rpc_peer_send() - queue @json with descriptors (duplicated) and try to send
 * Returns: 0, -ENOBUFS where the peer does not read (close it), or negative errno.
 */
int rpc_peer_send(RpcPeer *peer, const cJSON *json, const int *fds, unsigned n_fds);

/** rpc_peer_flush() - send what waits. Returns: 0 or negative errno: close the peer */
int rpc_peer_flush(RpcPeer *peer);

/** rpc_peer_waiting() - bytes that wait to be sent */
size_t rpc_peer_waiting(const RpcPeer *peer);

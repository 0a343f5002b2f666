#pragma once
/*
 * connect: which supervisor the command talks to: a socket that was named, the host's service, or, for
 * root, a private supervisor of this call.
 */
#include "base/rpc.h"

/**
 * connect_supervisor() - a connection
 * @socket: a path that must answer; NULL: $WARDER_SOCKET, else the service, else a private supervisor
 *
 * Where $WARDER_INSTANCE is set the service is not asked: that private instance is meant.
 *
 * Returns: 0 or negative errno with a sentence that says what to do.
 */
int connect_supervisor(const char *socket, RpcPeer **ret_peer, Error *err);

/** connect_socket() - to one path. Returns: a descriptor owned by the caller, or negative errno */
int connect_socket(const char *path);

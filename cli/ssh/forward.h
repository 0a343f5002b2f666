#pragma once
/*
 * forward: connections that a client asks for (ssh -L, -D, editors): to the jail's own loopback, and nowhere else.
 */
#include "cli/ssh/server.h"

/**
 * forward_open() - a channel of the kind direct-tcpip
 *
 * Returns: 0, and the client was told so; or -ECONNREFUSED, and it was told nothing.
 */
int forward_open(Server *server, ssh_message message);

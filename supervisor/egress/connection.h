#pragma once
/*
 * connection: one client's TCP connection: a request in, the provider's answer out, as it comes.
 */
#include "supervisor/egress/route.h"

/**
 * connection_new_consume() - serve @fd, in front of the list @head
 * Returns: 0 or negative errno (then @fd is closed and @head as it was).
 */
int connection_new_consume(Route *route, int fd, Connection **head);

/** connection_end() - drop it from its route, and free it; the front hears of a call that is under way */
void connection_end(Connection *connection);

/** connection_free() - close, drop a transfer under way. Returns: the next of the list */
Connection *connection_free(Connection *connection);

/** connection_next() - where the list goes on */
Connection **connection_next(Connection *connection);

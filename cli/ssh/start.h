#pragma once
/*
 * start: commands of the jail for channels: sent one after the other, since the supervisor's word that one has
 * started does not say which; and what the supervisor says of them.
 */
#include "cli/ssh/server.h"

/** start_attach() - the handlers of the server's link */
void start_attach(Server *server);

/** start_next() - send the command that waits longest, if none is starting */
void start_next(Server *server);

/** start_signal() - to the command of a lane, now or when it has started */
void start_signal(Lane *lane, int signal);

#pragma once
/*
 * start: commands of the jail for channels, and what the supervisor says of them.
 */
#include "cli/ssh/server.h"

/** start_attach() - the handlers of the server's link */
void start_attach(Server *server);

/** start_waiting() - send the commands that wait */
void start_waiting(Server *server);

/** start_pipes() - our ends and those of a command, or of what carries a connection. Returns: 0 or negative errno */
int start_pipes(Lane *lane, Error *err);

/** start_signal() - to the command of a lane, now or when it has started */
void start_signal(Lane *lane, int signal);

#pragma once
/*
 * listener: the socket that clients connect to. Who may not come in is told why before it is closed.
 */
#include "supervisor/front/front.h"

/** listener_start() - accept clients on @listen_fd, which is borrowed. Returns: 0 or negative errno */
int listener_start(Front *front, int listen_fd, Error *err);
/** listener_resume() - a client has gone: where none was accepted for want of descriptors, one is again */
void listener_resume(Front *front);

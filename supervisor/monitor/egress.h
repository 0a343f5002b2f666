#pragma once
/*
 * egress: start warder-egress, the only process of ours that talks to a network.
 */
#include "supervisor/monitor/monitor.h"

/** egress_start() - @ret_fd: the front's end of the socket to it, or /dev/null where it is not installed */
int egress_start(Monitor *monitor, int *ret_fd, Error *err);

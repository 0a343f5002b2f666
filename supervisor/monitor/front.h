#pragma once
/*
 * front: start warder-front and, where it is installed, warder-egress; go on after their end.
 */
#include "supervisor/monitor/monitor.h"

/** front_groups() - who may use the service: before its socket is made, which is the group's */
void front_groups(Monitor *monitor);
/** front_ids() - who front and egress are: accounts of the service, else ids out of the pool */
int front_ids(Monitor *monitor, Error *err);

/** front_start() - egress first, then the front with its end of egress's socket */
int front_start(Monitor *monitor, Error *err);

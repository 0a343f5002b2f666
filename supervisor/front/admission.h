#pragma once
/*
 * admission: who may use the front's socket. A private supervisor serves uid 0 and who started it; the
 * service serves uid 0 and the groups warder and warder-admin.
 */
#include "supervisor/front/calls.h"

/** admission_check() - who is behind a connection. Returns: 0, -EACCES with a sentence, negative errno */
int admission_check(const FrontInfo *info, int fd, Peer *ret_peer, Error *err);

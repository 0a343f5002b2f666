#pragma once
/*
 * reconnect: a link whose supervisor was restarted.
 */
#include "cli/link.h"

/**
 * reconnect() - connect once more where the supervisor closed the connection
 * @socket: as of link_open()
 *
 * A supervisor that is being restarted is waited for, a minute at most; signals are served meanwhile.
 *
 * Returns: 0, LINK_E_STOPPED, or negative errno with a sentence.
 */
int reconnect(Link *link, const char *socket, Error *err);

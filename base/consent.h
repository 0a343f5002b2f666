#pragma once
/*
 * consent: a client's word that directories on this connection may be changed by the jail that shows them.
 *
 * It is the name of the client's own end of the connection: an abstract one that begins with CONSENT_PREFIX.
 * Only the process that holds that end can give it, and the monitor reads it from the kernel. So a front
 * that is not what it was can show a directory copy-on-write, as it was passed to be, and nothing more.
 */
#include <stdbool.h>

#include "base/error.h"

#define CONSENT_PREFIX "warder-rw/"

/** consent_give() - name our end of @sock, a Unix socket without a name, once. Returns: 0 or negative errno */
int consent_give(int sock, Error *err);

/** consent_is_given() - has the other end of @sock such a name */
bool consent_is_given(int sock);

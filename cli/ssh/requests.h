#pragma once
/*
 * requests: what a client asks on a session lane, as libssh hands it over: noted, and done by the loop.
 */
#include "cli/ssh/lane.h"

/** requests_attach() - the callbacks of a new session channel */
void requests_attach(Lane *lane);

#pragma once
/*
 * recording: what a provider really said, so that the task can be replayed.
 */
#include "agent/session.h"

/** recording_send() - the supervisor keeps it; one that is recorded is kept already. Returns: 0; negative errno: it is gone */
int recording_send(Session *session, const ModelRequest *request, const ModelReply *reply);

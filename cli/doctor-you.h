#pragma once
/*
 * doctor-you: what the very caller may do, as the supervisor that would be asked says, which is not what root may.
 */
#include "base/json.h"

/** doctor_socket() - of the supervisor that a call would ask: @named, $WARDER_SOCKET, else the service's. Returns: borrowed */
const char *doctor_socket(const char *named);

/**
 * doctor_you() - ask it who we are to it; none is started for that
 * @rows: gets two objects in the form of doctor_checks(): "service" and "you"
 *
 * Returns: 1 where the caller can make no jail, else 0.
 */
unsigned doctor_you(const char *socket, cJSON *rows);

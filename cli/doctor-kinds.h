#pragma once
/*
 * doctor-kinds: which kinds of jails this host can make, from what the checks found; and what a supervisor
 * that runs says of its policies.
 */
#include "base/json.h"

/**
 * doctor_kinds() - one object a kind: kind, possible (yes, no, unknown), because
 * @checks: rows of doctor_checks(), borrowed
 * @kinds:  gets the objects
 */
void doctor_kinds(const cJSON *checks, cJSON *kinds);

/**
 * doctor_policies() - ask the supervisor at doctor_socket(@socket) which of its policies are wrong
 * @rows: gets one object in the form of doctor_checks(); none is started for it
 */
void doctor_policies(const char *socket, cJSON *rows);

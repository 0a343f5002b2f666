#pragma once
/*
 * doctor-checks: what this host can do, found without changing anything; what needs root is unknown to others.
 */
#include "base/json.h"

/**
 * doctor_checks() - run the table
 * @rows: gets one object a check: check, state (ok, missing, weak, unknown), need, found, cost, remedy
 *
 * Returns: how many required ones are missing.
 */
unsigned doctor_checks(cJSON *rows);

#pragma once
/*
 * results-tap: one line of TAP, or of automake's summary of it.
 */
#include "sandbox/files/results.h"

/** results_tap_line() - take in one line, terminated, without its end. Returns: 0 or negative errno */
int results_tap_line(Results *results, char *line);

#pragma once
/*
 * results-counts: one line that may count tests.
 */
#include "sandbox/files/results.h"

/** results_counts_line() - take in one line, terminated, without its end. Returns: 0 */
int results_counts_line(Results *results, char *line);

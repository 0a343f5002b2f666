#pragma once
/*
 * results-counts: one line that may count tests.
 */
#include "sandbox/files/results.h"

/** results_counts_line() - add what one line counts to @sums. Returns: does it count tests */
bool results_counts_line(const char *line, ResultSums *sums);

/** results_counts - the form */
extern const ResultsForm results_counts;

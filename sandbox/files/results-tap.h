#pragma once
/*
 * results-tap: one line of TAP, or of automake's summary of it.
 */
#include "sandbox/files/results.h"

/** results_tap - the form */
extern const ResultsForm results_tap;

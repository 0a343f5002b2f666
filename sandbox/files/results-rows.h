#pragma once
/*
 * results-rows: test runners that print a line for each test, told as data: each form is a table of lines and
 * of what they mean.
 *
 * pytest    "-v" or "-rA"; without either the failing tests' names, and the counts of its last line
 * unittest  Python's own, "-v"
 * ctest     as it comes
 * cargo     as it comes
 * jest      "--verbose", or one file; otherwise the counts of "Tests:"
 * mocha     the reporter "spec", which is its default
 *
 * A section (cargo's "Running tests/it.rs", jest's file) stands before the names of its tests.
 */
#include "sandbox/files/results.h"

extern const ResultsForm results_pytest;
extern const ResultsForm results_unittest;
extern const ResultsForm results_ctest;
extern const ResultsForm results_cargo;
extern const ResultsForm results_jest;
extern const ResultsForm results_mocha;

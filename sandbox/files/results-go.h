#pragma once
/*
 * results-go: what "go test -v" prints. A test's name stands behind its package's, which go names only when the
 * package is done; until then the tests wait here. A package that named no test (without "-v", or one that
 * does not build) counts as one test of the package's name.
 */
#include "sandbox/files/results.h"

/** results_go - the form */
extern const ResultsForm results_go;

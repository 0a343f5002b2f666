#pragma once
/*
 * results-node: Node's own test runner ("node --test"), in both of its forms: TAP with subtests, and "spec" with its
 * marks. Tests inside suites count, under the names of their suites ("suite > test"); a suite itself counts only where
 * it fails though none of its tests did (a hook, say).
 */
#include "sandbox/files/results.h"

/** results_node - the form */
extern const ResultsForm results_node;

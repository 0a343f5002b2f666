#pragma once
/*
 * compare: the tests of one command on the base beside the tests of the same command now.
 */
#include "supervisor/front/gate/verdict.h"

typedef enum CompareCounts { COMPARE_SAME = 0, COMPARE_FEWER, COMPARE_SKIPPED } CompareCounts;

/**
 * compare_names() - fill failing, missing and skipped of a verdict
 * @base: NULL where the base did not run
 * @run:  the command now
 *
 * A name may stand more than once (some runners repeat them): then each must stand as often as before.
 * Where a list of names was cut, nothing is called missing by name; compare_counts() still decides: where
 * only the list of now was cut, tests count as missing, since a flood of names could hide them.
 *
 * Returns: 0 or -ENOMEM.
 */
int compare_names(const RunCommand *base, const RunCommand *run, Verdict *verdict);

/** compare_counts() - by the numbers alone: fewer tests, or as many but more of them skipped */
CompareCounts compare_counts(const RunCommand *base, const RunCommand *run);

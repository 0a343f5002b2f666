#pragma once
/*
 * verdict-runs: one verdict from those of several runs.
 */
#include "supervisor/front/verdict.h"

/** verdict_collect() - where this run failed, what failed in it may be flaky */
void verdict_collect(Verdict *verdict);

/**
 * verdict_merge() - the verdict of the last run becomes that of all
 * @last: with runs and runs_passed of all, and in flaky what was collected before
 * @need: so many runs had to pass
 */
void verdict_merge(Verdict *last, unsigned need);

#pragma once
/*
 * verdict-runs: one verdict from those of several runs.
 */
#include "supervisor/front/gate/verdict.h"

typedef struct VerdictRuns {
        Verdict verdict;   /* of the last run; in the end of all */
        RunResult *result; /* owned, like all here: what it did */
        Verdict failed;    /* of one that failed, where runs is not 0 */
        RunResult *failed_result;
} VerdictRuns;

/** verdict_runs_init() - none yet. Returns: 0 or -ENOMEM */
int verdict_runs_init(VerdictRuns *runs);
/** verdict_runs_deinit() */
void verdict_runs_deinit(VerdictRuns *runs);

/** verdict_runs_count() - the last run has been judged */
void verdict_runs_count(VerdictRuns *runs);

/** verdict_runs_decided() - can no more runs change it: it is about the patch or the host, or enough is known */
bool verdict_runs_decided(const VerdictRuns *runs, unsigned need, unsigned of);

/** verdict_runs_next() - keep what failed, to tell of it, and make room for the next run. Returns: 0 or -ENOMEM */
int verdict_runs_next(VerdictRuns *runs);

/** verdict_runs_merge() - all are over: where they differ, the one that failed says what is wrong; @need had to pass */
void verdict_runs_merge(VerdictRuns *runs, unsigned need);

#pragma once
/*
 * hunk-trials: a patch without each of its hunks, one trial a hunk, side by side as far as limits allow. What a test
 * notices is proven; what none does is not.
 */
#include "supervisor/front/gate/trial.h"

typedef struct HunkTrials HunkTrials;

typedef struct HunkCounts {
        uint64_t all;    /* of the patch; the others are of those that were tried */
        unsigned proven; /* a test fails without it */
        unsigned
                needed; /* without it the patch does not apply, or nothing builds: no test was asked */
        unsigned unproven;
} HunkCounts;

typedef struct HunkTrialsEnd { /* borrowed */
        const Error *err;      /* it could not be carried out; NULL otherwise */
        const HunkCounts *counts;
        const cJSON *unproven; /* of the list's hunks */
} HunkTrialsEnd;

/** HunkTrialsDoneFn - once */
typedef void (*HunkTrialsDoneFn)(const HunkTrialsEnd *end, void *userdata);
/** HunkEventFn - a hunk was tried: the list's entry with "n", "of", "fate"; @data is consumed */
typedef void (*HunkEventFn)(cJSON *data, void *userdata);

typedef struct HunkTrialsSpec { /* borrowed until the end */
        const TrialGround *ground;
        const PatchList *list;
        const RunResult *green; /* of the whole patch */
        HunkEventFn event;
        HunkTrialsDoneFn done;
        void *userdata;
} HunkTrialsSpec;

/** hunk_trials_start() - Returns: 0 and @done will be called (maybe before it returns), unless cancelled; negative errno */
int hunk_trials_start(Front *front, const HunkTrialsSpec *spec, HunkTrials **ret, Error *err);
/** hunk_trials_cancel() - NULL is fine. Returns: NULL */
HunkTrials *hunk_trials_cancel(HunkTrials *trials);

#pragma once
/*
 * apply-plan: what a patch does to a base, found out before anything is written. Every path comes at most once
 * as what is changed and at most once as what results, so that the order of the patch does not matter and
 * all old content is read from the base itself; what a file becomes can then be worked out twice, once to
 * see that all of it fits and once to write it, with one file in memory at a time.
 */
#include "sandbox/files/entry.h"
#include "sandbox/files/patch-read.h"
#include "sandbox/files/patch-write.h"

typedef struct ApplyChange {
        const char *path;  /* borrowed from the patch */
        PathChange change; /* against the base */
        unsigned mode;     /* of the result, 0 where it is deleted */
} ApplyChange;

typedef struct ApplyPlan {
        int old;            /* the base, borrowed */
        const Patch *patch; /* borrowed */
        Report *report;     /* borrowed */
        Table *removed; /* owned: paths of the base that go away or are replaced by another type */
        Table *changed; /* owned: … that stay and change */
        Table *results; /* owned: paths that the patch makes or changes */
        ApplyChange *changes; /* owned: in the patch's order */
        unsigned n_changes;
} ApplyPlan;

/** apply_plan_make() - check @patch against @old. Returns: 0 or negative errno (refused: which path, why) */
int apply_plan_make(ApplyPlan *plan, int old, const Patch *patch, Report *report, Error *err);
/** apply_plan_deinit() - release it */
void apply_plan_deinit(ApplyPlan *plan);

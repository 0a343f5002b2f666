#pragma once
/*
 * apply: a patch is applied to a base as `git apply` applies it, and then the protection layer is laid over the
 * result. Nothing is written before all of the patch is known to fit.
 */
#include "sandbox/files/glob.h"
#include "sandbox/files/report.h"

typedef struct ApplyJob {
        int patch; /* the patch, borrowed as the next two */
        int old;   /* the base */
        int tree;  /* the base with a writable upper; unused where @check_only */
        int setup; /* what setup made above the base; negative: nothing */
        bool check_only;
        Globs protect;
        Globs allow;
} ApplyJob;

/** apply_run() - do it, and report paths, digests and what was taken back. Returns: 0 or negative errno */
int apply_run(const ApplyJob *job, Report *report, Error *err);

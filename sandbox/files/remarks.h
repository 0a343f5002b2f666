#pragma once
/*
 * remarks: the deterministic checks of a patch that stand beside tests and reviewer. Nothing is run: the same patch
 * gets the same remarks. Lines that it adds are looked at one by one (remark-line.h), then what it touches as a
 * whole: lock files without their manifests, paths outside of the task's scope.
 */
#include "sandbox/files/glob.h"
#include "sandbox/files/patch-read.h"

#define REMARKS_MAX 200u /* of one check that are told; a last one says how many more there are */

typedef struct RemarksJob { /* all borrowed */
        const Patch *patch;
        int old;            /* the base */
        const Globs *scope; /* what the task may touch; without patterns: anything */
} RemarksJob;

/** remarks_run() - report them as RECORD_REMARK. Returns: 0 or negative errno */
int remarks_run(const RemarksJob *job, Report *report, Error *err);

#pragma once
/*
 * apply: a patch is applied to a base as `git apply` applies it, and then the protection layer is laid over the
 * result. Nothing is written before all of the patch is known to fit.
 */
#include "sandbox/files/patch-part.h"

typedef struct ApplyJob {
        int patch;         /* the patch, borrowed as the next two */
        uint64_t patch_at; /* byte that it begins at, or PATCH_AT_HERE */
        int old;           /* the base */
        int tree;          /* the base with a writable upper; unused where @check_only */
        int setup;         /* what setup made above the base; negative: nothing */
        bool check_only;
        bool shielded; /* the base's shield lies under @tree already (shield.h) … */
        int listing;   /* … and this is its listing, borrowed */
        Globs protect;
        Globs allow;
        Globs rules;    /* of those that are protected, what says how tests are run */
        Globs scope;    /* what the task may touch; without patterns: anything */
        bool remark;    /* say what is to be said about the patch (remarks.h) */
        PatchPart part; /* that is applied; its globs are set by apply_run() */
} ApplyJob;

/** apply_run() - do it, and report paths, digests and what was taken back. Returns: 0 or negative errno */
int apply_run(const ApplyJob *job, Report *report, Error *err);

#pragma once
/*
 * diff: what a jail changed below one directory, as a patch that `git apply` takes.
 *
 * Theory of operation. /old and /new are merged trees, /upper is the raw upper that lies between them. Both
 * merged trees are listed only where the upper has a directory too, and a name that is in both but not in
 * the upper is the same object by the nature of an overlay: so the cost follows the change. Whiteouts and
 * opaque directories need no reading of their own: they show as names that /old has and /new lacks.
 *
 * A patch knows files, links and the executable bit. Directories come and go with their files; devices,
 * fifos and sockets, names with control bytes, and ".git" are left out with a note. New paths that a
 * .gitignore of the base names are left out; a path that the base has is compared whatever its name.
 */
#include <stdbool.h>

#include "sandbox/files/patch-write.h"
#include "sandbox/files/report.h"

typedef struct DiffJob {
        int old; /* directory descriptors, borrowed: the trees' own roots */
        int new;
        int upper;      /* negative: the upper has no directory in this place */
        bool unchanged; /* … and nothing else either, so that all is as it was */
        bool quiet;     /* no notes: the trees are walked once more */
        int out;        /* where the patch goes, borrowed */
} DiffJob;

/** DiffTakeFn - a path that changed: what it was and what it is; mode 0: it is not there. Returns: 0 or negative errno */
typedef int (*DiffTakeFn)(const char *path, const PatchSide *old, const PatchSide *new,
                          void *userdata, Error *err);

/**
 * diff_walk() - find what changed, and hand each path to @take; job->out is not used
 *
 * A path whose sides turn out to be equal may come too.
 *
 * Returns: 0 or negative errno; what @take returns ends the walk.
 */
int diff_walk(const DiffJob *job, Report *report, DiffTakeFn take, void *userdata, Error *err);

/** diff_run() - write the patch and report paths and digest. Returns: 0 or negative errno */
int diff_run(const DiffJob *job, Report *report, Error *err);

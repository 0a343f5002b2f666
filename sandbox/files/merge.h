#pragma once
/*
 * merge: two trees that grew out of one, as one. /old is what both began as, /new is theirs with /upper the raw
 * upper that lies between these two, /tree is ours. The cost follows what theirs changed: what it left alone
 * stays as it is in ours, whatever that is. What a patch cannot hold, and what is new and a .gitignore of the
 * base leaves out, is not merged (diff.h).
 *
 * On fd 1 comes what has to change in ours, first what goes, then what comes, each as a line
 *
 *     MODE BYTES PATH
 *
 * and then as many bytes: the content, or a link's target. MODE is 100644, 100755, 120000, or 000000 for what
 * goes; PATH has no control bytes and does not begin with a slash. Where there is a conflict (RECORD_CONFLICT
 * names it) this is what is left for who resolves it: marked-up files as git writes them, else one of the sides.
 */
#include "sandbox/files/diff.h"

#define MERGE_PATHS_MAX 100000u
#define MERGE_BYTES_MAX (64u << 20) /* on fd 1 */

typedef struct MergeJob {
        DiffJob diff; /* of theirs; out is where the result goes */
        int tree;     /* ours, borrowed */
} MergeJob;

/** merge_run() - merge, and report paths, conflicts and totals. Returns: 0 or negative errno */
int merge_run(const MergeJob *job, Report *report, Error *err);

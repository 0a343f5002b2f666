#pragma once
/*
 * changes: what a jail changed, path by path, as lines of JSON.
 *
 * Theory of operation. Only the raw upper is walked, and of the layers below it a name is looked at where the upper
 * has one: so the cost follows the change. What is in the upper was made or opened for writing, or its owner, mode or
 * attributes were set: it is told as added where nothing was there before, else as modified. A directory in which
 * something changed is not modified by that. A directory that went away, or gave way to something else, is one line:
 * what was in it went with it. Where a directory was removed and made again, each of the old names that it has no more
 * is a line.
 *
 * The jail goes on meanwhile: what vanishes under our eyes is passed over.
 *
 * A line: {"change":"A","path":"/etc/motd","kind":"file","mode":420,"size":12}, and "was":"directory" where another
 * kind of thing was there. Of a deletion "kind" is what was deleted. A path that is no UTF-8 comes with U+FFFD in the
 * place of what is none, and whole as "path_hex".
 *
 * Syscalls: openat2 newfstatat fgetxattr getdents64 write
 */
#include <stdbool.h>

#include "base/options.h"
#include "sandbox/files/report.h"

typedef struct ChangesJob {
        int upper;                 /* raw, a borrowed descriptor, as all of them */
        int old;                   /* what all layers below it show; -EBADF: nothing */
        int out;                   /* where the lines go */
        const char *prefix;        /* of each path, "/work"; "": it is the root that changed */
        const OptionList *covered; /* names of the root where something else is mounted: not told */
} ChangesJob;

/** changes_run() - tell them, and how many: RECORD_COUNTS. Returns: 0 or negative errno */
int changes_run(const ChangesJob *job, Report *report, Error *err);

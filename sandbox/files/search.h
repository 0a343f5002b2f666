#pragma once
/*
 * search: files by name, and lines by pattern, for an agent that looks around in its tree. The walk is sorted,
 * follows no link and passes over ".git". Patterns and paths come from the agent: what is wrong with them is
 * refused, never a failure of ours.
 */
#include "sandbox/files/report.h"

#define SEARCH_MATCHES_MAX 1000
#define SEARCH_LINE_MAX    400         /* bytes of a line that are shown */
#define SEARCH_FILE_MAX    (16u << 20) /* larger files are passed over with a note */

typedef struct SearchJob {
        int tree; /* borrowed */
        const char *
                pattern; /* a glob, or an extended regular expression of POSIX with GNU's \w \b \s */
        const char *path; /* where to look, relative to the tree; NULL or "": all of it */
        const char *glob; /* grep: only in files of this name; NULL: in all */
        bool grep;
        bool ignore_case;
} SearchJob;

/**
 * search_run() - report each match
 *
 * Globs are matched against paths relative to @path; one without a slash against the last component, at any
 * depth. Reported paths are relative to the tree.
 *
 * Returns: 0 or negative errno.
 */
int search_run(const SearchJob *job, Report *report, Error *err);

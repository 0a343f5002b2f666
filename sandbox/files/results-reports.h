#pragma once
/*
 * results-reports: results that a command wrote into files of its tree. Only what lies in the upper of its jail
 * is read: a report that came with the base or the patch is not one of this run.
 */
#include "sandbox/files/glob.h"
#include "sandbox/files/results.h"

#define REPORTS_MAX 10000u

/** ResultsFileFn - read one file of this form into @results. Returns: 0 or negative errno */
typedef int (*ResultsFileFn)(Results *results, int fd, const char *form, Error *err);

typedef struct ReportsWhere {
        int dir; /* where the globs begin; negative: there is no such directory */
        const Globs *globs;
        uint64_t
                since_nsec; /* since 1970: what was last written, or named, before is none; 0: any */
} ReportsWhere;

/**
 * results_reports() - read each regular file whose path matches, in sorted order
 * @where: links in it are not followed, nor is what is no regular file read
 *
 * Returns: 0, also where none matches; negative errno.
 */
int results_reports(Results *results, const ReportsWhere *where, ResultsFileFn file,
                    const char *form, Error *err);

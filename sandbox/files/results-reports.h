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

/**
 * results_reports() - read each regular file below @dir whose path matches, in sorted order
 * @dir: where the globs begin, negative: there is no such directory; links are not followed, nor is what is no regular file read
 *
 * Returns: 0, also where none matches; negative errno.
 */
int results_reports(Results *results, int dir, const Globs *globs, ResultsFileFn file,
                    const char *form, Error *err);

#pragma once
/*
 * report-write: the files of a report: --junit, --summary, --html, and those of --out.
 */
#include "cli/outdir.h"
#include "cli/report.h"

typedef struct ReportOptions {
        const char *junit;
        const char *summary;
        const char *html;
} ReportOptions;

#define OPTIONS_REPORT(AT)                                                                      \
        { "junit",     0,                                                                       \
          OPTION_TEXT, (AT) + offsetof(ReportOptions, junit),                                   \
          "FILE",      "Write the tests and the verdict there, as JUnit's XML" },               \
                { "summary",   0,                                                               \
                  OPTION_TEXT, (AT) + offsetof(ReportOptions, summary),                         \
                  "FILE",      "Write a summary there, as Markdown for the page of a CI job" }, \
        {                                                                                       \
                "html", 0, OPTION_TEXT, (AT) + offsetof(ReportOptions, html), "FILE",           \
                        "Write a report there: one page that needs nothing else"                \
        }

typedef struct ReportFiles { /* all owned */
        char *junit;
        char *summary;
        char *html;
} ReportFiles;

#define REPORT_FILES_N 3

/** report_wanted() - was a file of a report asked for, or a directory for all of them */
bool report_wanted(const ReportOptions *options, const char *out);

/** report_check() - can the named files be made; found out before anything runs. Returns: 0 or negative errno */
int report_check(const ReportOptions *options, Error *err);

/** report_make() - all forms of a report. Returns: 0 or -ENOMEM; report_files_deinit() them */
int report_make(Report *report, ReportFiles *ret, Error *err);

/** report_files_list() - as files of --out, REPORT_FILES_N of them, borrowed from @files */
void report_files_list(const ReportFiles *files, OutFile *ret);

/** report_save() - write the files that the options name, with the user's rights. Returns: 0 or negative errno */
int report_save(const ReportOptions *options, const ReportFiles *files, Error *err);

/** report_files_deinit() - release them */
void report_files_deinit(ReportFiles *files);

#pragma once
/*
 * results: what a test command printed becomes tests and counts. The output is hostile: whatever it says is
 * bounded and is only a claim; the supervisor holds it against exit code and base.
 *
 * tap     TAP 12 to 14: "ok N - name", "not ok", "# SKIP", "# TODO", plans, "Bail out!". Subtests are
 *         indented and count through their parent's line. Where the first result has automake's form
 *         ("PASS: name"), that form is read instead. An expected failure (TODO, XFAIL) counts as skipped:
 *         it is neither passed nor a reason to fail.
 * counts  lines such as "41 passed, 1 failed, 2 skipped", in any order, separated by "," or ";"; summed.
 * exit    nothing is read: the exit code alone decides.
 */
#include "sandbox/files/report.h"

#define RESULTS_TESTS_MAX 20000
#define RESULTS_LINE_MAX  4096

typedef struct Results {
        uint64_t passed;
        uint64_t failed;
        uint64_t skipped;
        uint64_t planned;
        bool has_plan;
        bool automake;  /* the first result line had automake's form */
        bool tap;       /* … or TAP's */
        uint64_t tests; /* records asked for */
        Report *report; /* borrowed */
} Results;

/** results_run() - read @fd to its end in this format and report. Returns: 0 or negative errno (-EINVAL: unknown format) */
int results_run(const char *format, int fd, Report *report, Error *err);

/** results_test() - count one test, and report its name (cut to RECORD_DATA_MAX). Returns: 0 or negative errno */
int results_test(Results *results, TestStatus status, const char *name, size_t n);

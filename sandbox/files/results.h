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
 * junit   an XML report, or several one after the other (results-junit.h).
 * go      what "go test -v" prints; of packages that name no test, the package (results-go.h).
 * node    Node's test runner: both its forms, with the tests inside suites (results-node.h).
 * pytest unittest ctest cargo jest mocha   a line for each test (results-rows.h).
 * exit    nothing is read: the exit code alone decides.
 *
 * Colours (ECMA-48 SGR) are taken out of every line before it is read.
 */
#include "sandbox/files/glob.h"
#include "sandbox/files/report.h"

#define RESULTS_TESTS_MAX 20000
#define RESULTS_LINE_MAX  4096

typedef struct ResultSums {
        uint64_t passed;
        uint64_t failed;
        uint64_t skipped;
} ResultSums;

typedef struct Results {
        ResultSums sums;
        uint64_t planned;
        bool has_plan;
        uint64_t tests; /* records asked for */
        unsigned whys;  /* told (results-why.h) */
        Report *report; /* borrowed */
        void *state;    /* owned: the form's own, zeroed at first */
} Results;

/** ResultsForm - a row for each form that is read line by line */
typedef struct ResultsForm {
        const char *name;
        size_t state_size;
        int (*line)(Results *results,
                    char *line);      /* terminated, without its end; 0 or negative errno */
        int (*end)(Results *results); /* NULL: nothing is to do */
} ResultsForm;

typedef struct ResultsJob {
        const char *form;
        int fd;      /* borrowed: the output, read to its end; or where reports are asked for … */
        int dir;     /* … the tree that they are in, borrowed */
        Globs globs; /* of reports; none: @fd is read. Owned by the caller */
        uint64_t since_nsec; /* since 1970: reports that were written before are none; 0: any */
} ResultsJob;

/** results_run() - read and report. Returns: 0 or negative errno (-EINVAL: unknown form) */
int results_run(const ResultsJob *job, Report *report, Error *err);

/** results_test() - count one test, and report its name (cut to RECORD_DATA_MAX). Returns: 0 or negative errno */
int results_test(Results *results, TestStatus status, const char *name, size_t n);

/** results_total() - of all three */
uint64_t results_total(const ResultSums *sums);

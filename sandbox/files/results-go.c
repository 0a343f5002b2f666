/* results-go: see results-go.h. */
#include "sandbox/files/results-go.h"

#include <stdio.h>
#include <string.h>

#include "base/owned.h"
#include "sandbox/files/results-pattern.h"

#define WAITING_MAX (1u << 20) /* bytes of names; beyond it they go without their package */

typedef struct GoRow {
        TestStatus status;
        const char *pattern;
} GoRow;

static const GoRow test_rows[] = {
        { TEST_PASSED, "%b--- PASS: %n (%r" },
        { TEST_FAILED, "%b--- FAIL: %n (%r" },
        { TEST_SKIPPED, "%b--- SKIP: %n (%r" },
};

/* What go says of a package when it is done with it; 0: nothing that counts */
static const GoRow package_rows[] = {
        { 0, "?   \t%n\t[no test files]" },
        { TEST_PASSED, "ok  \t%n\t%r" },
        { TEST_FAILED, "FAIL\t%n\t%r" },
        { TEST_FAILED, "FAIL\t%n [%r" },
};

typedef struct GoState {
        char names[WAITING_MAX]; /* for each waiting test: its status as a byte, its name, NUL */
        size_t n;
        uint64_t seen; /* in this package */
} GoState;

static int let_go(Results *results, const char *package, size_t length) {
        GoState *state = results->state;
        char whole[2 * RESULTS_LINE_MAX + 2];
        int r = 0;

        for (size_t at = 0; at < state->n && r >= 0;) {
                const char *name = state->names + at + 1;
                int n = snprintf(whole, sizeof(whole), "%.*s%s%s", (int) length, package,
                                 length ? "." : "", name);

                r = results_test(results, (TestStatus) state->names[at], whole, (size_t) n);
                at += strlen(name) + 2;
        }
        state->n = 0;
        return r;
}

static int keep(Results *results, TestStatus status, const PatternName *name) {
        GoState *state = results->state;
        int r = 0;

        state->seen++;
        if (state->n + name->n + 2 > sizeof(state->names))
                r = let_go(results, "", 0);
        state->names[state->n++] = (char) status;
        memcpy(state->names + state->n, name->at, name->n);
        state->n += name->n;
        state->names[state->n++] = 0;
        return r;
}

static int end_package(Results *results, TestStatus status, const PatternName *name) {
        GoState *state = results->state;
        uint64_t seen = state->seen;
        int r = let_go(results, name->at, name->n);

        state->seen = 0;
        if (r >= 0 && seen == 0 && status != 0 && !strstr(name->at, "[no tests to run]"))
                r = results_test(results, status, name->at, name->n);
        return r;
}

static int take_line(Results *results, char *line) {
        PatternName name;
        size_t i;

        for (i = 0; i < ELEMENTS(test_rows); i++)
                if (results_pattern_match(test_rows[i].pattern, line, &name))
                        return keep(results, test_rows[i].status, &name);
        for (i = 0; i < ELEMENTS(package_rows); i++)
                if (results_pattern_match(package_rows[i].pattern, line, &name))
                        return end_package(results, package_rows[i].status, &name);
        return 0;
}

static int take_end(Results *results) {
        return let_go(results, "", 0);
}

const ResultsForm results_go = { "go", sizeof(GoState), take_line, take_end };

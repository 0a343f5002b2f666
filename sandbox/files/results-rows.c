/*
 * results-rows: see results-rows.h. The first row of a table that has a line's shape decides. Two groups of
 * rows can tell of the same tests (pytest -v names them as they run and some again at the end): the group
 * that spoke first is the one that is believed.
 */
#include "sandbox/files/results-rows.h"

#include <stdio.h>
#include <string.h>

#include "sandbox/files/results-counts.h"
#include "sandbox/files/results-pattern.h"
#include "sandbox/files/results-why.h"

#define SECTION_MAX   256
#define WORD          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define TEST_NAME_MAX (SECTION_MAX + RESULTS_LINE_MAX + 4)

typedef enum RowKind {
        ROW_END = 0, /* of the table */
        ROW_PASSED = TEST_PASSED,
        ROW_FAILED = TEST_FAILED,
        ROW_SKIPPED = TEST_SKIPPED,
        ROW_SECTION,       /* the name stands before those that follow */
        ROW_MUTE,          /* what follows tells of tests a second time, or is what they printed */
        ROW_SPEAK,         /* until here */
        ROW_WAIT,          /* a test began, and its status stands on a line of its own */
        ROW_STATUS_PASSED, /* such a line */
        ROW_STATUS_FAILED,
        ROW_STATUS_SKIPPED,
        ROW_BROKEN,     /* a test that failed, and could not do its work */
        ROW_WHY_FAILED, /* from here on it is told why a test failed … */
        ROW_WHY_BROKEN, /* … which did so in another way than by what it asserts */
        ROW_WHY_OVER,
} RowKind;

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): its rows are read from left to right */
typedef struct Row {
        RowKind kind;
        const char *pattern;
        unsigned group;     /* 0: no second telling is known */
        const char *within; /* of the name; NULL: anything goes */
} Row;

typedef struct RowsState {
        char section[SECTION_MAX];
        char waiting[RESULTS_LINE_MAX]; /* "": no test does */
        bool parts_skipped; /* of the one that waits, or more than that: none has failed yet */
        bool muted;
        unsigned group;  /* that spoke first; 0: none yet */
        ResultSums told; /* by lines that only count */
        WhyOpen why;
} RowsState;

#define LINE(KIND, PATTERN) \
        { (KIND), (PATTERN), 0, NULL }
#define FIRST(KIND, PATTERN) \
        { (KIND), (PATTERN), 1, "::" } /* names of pytest */
#define AGAIN(KIND, PATTERN) \
        { (KIND), (PATTERN), 2, NULL }

static const Row pytest_rows[] = {
        LINE(ROW_MUTE, "%= FAILURES %="),
        LINE(ROW_MUTE, "%= ERRORS %="),
        LINE(ROW_MUTE, "%= PASSES %="),
        LINE(ROW_MUTE, "%= warnings summary %r"),
        LINE(ROW_SPEAK, "%= short test summary info %="),
        LINE(ROW_SPEAK, "%= test session starts %="),
        FIRST(ROW_PASSED, "%n PASSED%e"),
        FIRST(ROW_PASSED, "%n XPASS%e"),
        FIRST(ROW_FAILED, "%n FAILED%e"),
        FIRST(ROW_BROKEN, "%n ERROR%e"),
        FIRST(ROW_SKIPPED, "%n SKIPPED%e"),
        FIRST(ROW_SKIPPED, "%n XFAIL%e"),
        FIRST(ROW_PASSED, "[gw%d] [%b%d%%] PASSED %n"), /* pytest-xdist */
        FIRST(ROW_PASSED, "[gw%d] [%b%d%%] XPASS %n"),
        FIRST(ROW_FAILED, "[gw%d] [%b%d%%] FAILED %n"),
        FIRST(ROW_BROKEN, "[gw%d] [%b%d%%] ERROR %n"),
        FIRST(ROW_SKIPPED, "[gw%d] [%b%d%%] SKIPPED %n"),
        FIRST(ROW_SKIPPED, "[gw%d] [%b%d%%] XFAIL %n"),
        AGAIN(ROW_PASSED, "PASSED %n"),
        AGAIN(ROW_PASSED, "XPASS %n"),
        AGAIN(ROW_FAILED, "FAILED %n - %r"),
        AGAIN(ROW_FAILED, "FAILED %n"),
        AGAIN(ROW_BROKEN, "ERROR %n - %r"),
        AGAIN(ROW_BROKEN, "ERROR %n"),
        AGAIN(ROW_SKIPPED, "SKIPPED [%d] %n: %r"),
        AGAIN(ROW_SKIPPED, "XFAIL %n - %r"),
        AGAIN(ROW_SKIPPED, "XFAIL %n"),
        { 0 },
};

static const Row unittest_rows[] = {
        LINE(ROW_WHY_FAILED, "FAIL: %n"),
        LINE(ROW_WHY_BROKEN, "ERROR: %n"),
        LINE(ROW_WHY_OVER, "Ran %d test%r"),
        LINE(ROW_PASSED, "%n ... ok"),
        LINE(ROW_FAILED, "%n ... unexpected success"),
        LINE(ROW_FAILED, "%n ... FAIL"),
        LINE(ROW_FAILED, "%n ... ERROR"),
        LINE(ROW_SKIPPED, "%n ... skipped %r"),
        LINE(ROW_SKIPPED, "%n ... expected failure"),
        LINE(ROW_WAIT, "%n ... %r"),
        LINE(ROW_STATUS_PASSED, "ok"),
        LINE(ROW_STATUS_FAILED, "FAIL"),
        LINE(ROW_STATUS_FAILED, "ERROR"),
        LINE(ROW_STATUS_SKIPPED, "skipped %r"),
        { 0 },
};

static const Row ctest_rows[] = {
        LINE(ROW_PASSED, "%b%d/%d Test%b#%d: %n %p%bPassed%r"),
        LINE(ROW_SKIPPED, "%b%d/%d Test%b#%d: %n %p***Skipped%r"),
        LINE(ROW_SKIPPED, "%b%d/%d Test%b#%d: %n %p***Not Run (Disabled)%r"),
        LINE(ROW_BROKEN, "%b%d/%d Test%b#%d: %n %p***Not Run%r"),
        LINE(ROW_FAILED, "%b%d/%d Test%b#%d: %n %p%r"),
        { 0 },
};

static const Row cargo_rows[] = {
        LINE(ROW_MUTE, "failures:"),
        LINE(ROW_SPEAK, "test result: %r"),
        LINE(ROW_SECTION, "%bRunning %n (%r"),
        LINE(ROW_SECTION, "%bDoc-tests %n"),
        LINE(ROW_PASSED, "test %n ... ok"),
        LINE(ROW_FAILED, "test %n ... FAILED"),
        LINE(ROW_SKIPPED, "test %n ... ignored%r"),
        { 0 },
};

static const Row jest_rows[] = {
        LINE(ROW_SECTION, "PASS %n"),
        LINE(ROW_SECTION, "FAIL %n"),
        LINE(ROW_PASSED, "%b✓ %n (%d ms)"),
        LINE(ROW_PASSED, "%b✓ %n"),
        LINE(ROW_FAILED, "%b✕ %n (%d ms)"),
        LINE(ROW_FAILED, "%b✕ %n"),
        LINE(ROW_SKIPPED, "%b○ skipped %n"),
        LINE(ROW_SKIPPED, "%b✎ todo %n"),
        { 0 },
};

static const Row mocha_rows[] = {
        LINE(ROW_MUTE, "%b%d passing%r"), LINE(ROW_PASSED, "%b✔ %n (%dms)"),
        LINE(ROW_PASSED, "%b✔ %n"),       LINE(ROW_PASSED, "%b✓ %n (%dms)"),
        LINE(ROW_PASSED, "%b✓ %n"),       LINE(ROW_FAILED, "%b%d) %n"),
        LINE(ROW_SKIPPED, "  %b- %n"),    { 0 },
};

/* ---- what a row does ----------------------------------------------------------------------------- */

static int take_test(Results *results, TestStatus status, const char *name, size_t n) {
        const RowsState *state = results->state;
        char whole[TEST_NAME_MAX];
        int length;

        if (!*state->section)
                return results_test(results, status, name, n);
        length = snprintf(whole, sizeof(whole), "%s: %.*s", state->section, (int) n, name);
        return results_test(results, status, whole, (size_t) length);
}

/* What stands behind the name of a test in pytest's summary: " - AssertionError: …" */
static int take_reason(Results *results, const Row *row, const PatternName *name) {
        const char *rest = name->at + name->n;
        bool told = strncmp(rest, " - ", 3) == 0;

        if (row->kind == ROW_BROKEN)
                return results_why(results, WHY_BROKEN, name->at, name->n);
        if (row->kind != ROW_FAILED || row->group != 2 || !told)
                return 0;
        return results_why(results, results_why_of(rest + 3), name->at, name->n);
}

static int take_waiting(Results *results, TestStatus status) {
        RowsState *state = results->state;
        int r;

        if (!*state->waiting)
                return 0;
        r = take_test(results, status, state->waiting, strlen(state->waiting));
        *state->waiting = 0;
        return r;
}

/* Of two groups that tell of the same tests, is this the one that did not speak first */
static bool is_told_already(RowsState *state, const Row *row) {
        if (row->group && !state->group)
                state->group = row->group;
        return row->group != 0 && row->group != state->group;
}

static int take_told(Results *results, const Row *row, const PatternName *name) {
        RowsState *state = results->state;
        TestStatus status = row->kind == ROW_BROKEN ? TEST_FAILED : (TestStatus) row->kind;
        int r = 0;

        if (state->muted)
                return 0;
        if (!is_told_already(state, row)) {
                *state->waiting = 0;
                r = take_test(results, status, name->at, name->n);
        }
        return r < 0 ? r : take_reason(results, row, name);
}

/* ---- unittest's parts of tests -------------------------------------------------------------------- */

/*
 * A test with parts (subTest()) has a line for each part that did not pass, and none of its own then; before
 * Python 3.11 it has no more than "NAME ... ", with the next test on the same line. Where all parts pass it is
 * "ok" like any other. So parts count through their test: else a change that mends them would lose tests.
 */

/* The bytes of "test_name (module.Class)" that @text begins with, 0 if it does not */
static size_t test_id(const char *text) {
        size_t n = strspn(text, WORD), inner;

        if (n == 0 || strncmp(text + n, " (", 2) != 0)
                return 0;
        n += 2;
        inner = strcspn(text + n, " )");
        return inner > 0 && text[n + inner] == ')' ? n + inner + 1 : 0;
}

/* "test_name (module.Class) [message] (i=1)" */
static bool is_part(const char *text, size_t id) {
        return id > 0 && (strncmp(text + id, " [", 2) == 0 || strncmp(text + id, " (", 2) == 0);
}

static bool is_waiting(const RowsState *state, const char *name, size_t n) {
        return strlen(state->waiting) == n && memcmp(state->waiting, name, n) == 0;
}

/* Its heading may be the only word of a test that failed: "FAIL: test_name (module.Class) (i=1)" */
static int take_heading(Results *results, const PatternName *name, TestWhy why) {
        RowsState *state = results->state;
        size_t id = test_id(name->at);
        PatternName test = { name->at, is_part(name->at, id) ? id : name->n };
        int r = 0;

        if (is_waiting(state, test.at, test.n))
                r = take_waiting(results, TEST_FAILED);
        return r < 0 ? r : results_why_open(results, &state->why, &test, why);
}

/* The line of a part that did not pass. Returns: 1 if it was one, 0, negative errno */
static int take_part(Results *results, const char *line) {
        RowsState *state = results->state;
        size_t id = strncmp(line, "  ", 2) == 0 ? test_id(line + 2) : 0;
        bool waits = is_waiting(state, line + 2, id);
        PatternName ignored;
        int r = 0;

        if (!is_part(line + 2, id))
                return 0;
        if (results_pattern_match("%n ... skipped %r", line, &ignored)) {
                state->parts_skipped |= waits;
                return 1;
        }
        if (!results_pattern_match("%n ... FAIL", line, &ignored) &&
            !results_pattern_match("%n ... ERROR", line, &ignored))
                return 0;
        state->parts_skipped = false;
        if (waits)
                r = take_waiting(results, TEST_FAILED);
        return r < 0 ? r : 1;
}

/* A test of which some parts were skipped and none failed is skipped, as Python says before 3.11. */
static int take_skipped_parts(Results *results) {
        RowsState *state = results->state;

        if (!state->parts_skipped)
                return 0;
        state->parts_skipped = false;
        return take_waiting(results, TEST_SKIPPED);
}

/* "test_a (m.C) ... test_b (m.C) ... ok": parts of the first failed */
static int take_silent(Results *results, const char **line) {
        size_t id;
        int r = 0;

        for (id = test_id(*line); r >= 0 && id > 0 && strncmp(*line + id, " ... ", 5) == 0 &&
                                  test_id(*line + id + 5) > 0;
             id = test_id(*line)) {
                r = take_test(results, TEST_FAILED, *line, id);
                *line += id + 5;
        }
        return r;
}

/* ---- a line --------------------------------------------------------------------------------------- */

static int take_row(Results *results, const Row *row, const PatternName *name) {
        RowsState *state = results->state;

        switch (row->kind) {
        case ROW_MUTE:
        case ROW_SPEAK:
                state->muted = row->kind == ROW_MUTE;
                return 0;
        case ROW_SECTION:
                (void) snprintf(state->section, sizeof(state->section), "%.*s", (int) name->n,
                                name->at);
                return 0;
        case ROW_WAIT:
                (void) snprintf(state->waiting, sizeof(state->waiting), "%.*s", (int) name->n,
                                name->at);
                return 0;
        case ROW_STATUS_PASSED:
        case ROW_STATUS_FAILED:
        case ROW_STATUS_SKIPPED:
                return take_waiting(results,
                                    TEST_PASSED + (TestStatus) (row->kind - ROW_STATUS_PASSED));
        case ROW_WHY_FAILED:
                return take_heading(results, name, WHY_ASSERTION);
        case ROW_WHY_BROKEN:
                return take_heading(results, name, WHY_BROKEN);
        case ROW_WHY_OVER:
                return results_why_close(results, &state->why);
        case ROW_PASSED:
        case ROW_FAILED:
        case ROW_BROKEN:
        case ROW_SKIPPED:
                return take_told(results, row, name);
        case ROW_END:
                break;
        }
        return 0;
}

static bool fits(const Row *row, const char *line, PatternName *ret_name) {
        return results_pattern_match(row->pattern, line, ret_name) &&
               (!row->within ||
                memmem(ret_name->at, ret_name->n, row->within, strlen(row->within)));
}

static int take_line(Results *results, const Row *rows, const char *line) {
        RowsState *state = results->state;
        PatternName name;

        for (; rows->kind != ROW_END; rows++)
                if (fits(rows, line, &name))
                        return take_row(results, rows, &name);
        results_why_hear(&state->why, line);
        if (!state->muted)
                (void) results_counts_line(line, &state->told);
        return 0;
}

/* Where the runner counted more than it named, its counts hold, and the reader knows that names are missing */
static int take_end(Results *results) {
        RowsState *state = results->state;
        int r = results_why_close(results, &state->why);

        if (r < 0)
                return r;
        if (results_total(&state->told) <= results_total(&results->sums))
                return 0;
        results->sums = state->told;
        results->report->cut = true;
        return 0;
}

static int unittest_line(Results *results, char *line) {
        const char *rest = line;
        int r = take_part(results, line);

        if (r != 0)
                return r < 0 ? r : 0;
        if (test_id(line) > 0)
                r = take_skipped_parts(results);
        if (r >= 0)
                r = take_silent(results, &rest);
        return r < 0 ? r : take_line(results, unittest_rows, rest);
}

static int unittest_end(Results *results) {
        int r = take_skipped_parts(results);

        return r < 0 ? r : take_end(results);
}

const ResultsForm results_unittest = { "unittest", sizeof(RowsState), unittest_line, unittest_end };

#define FORM(NAME)                                             \
        static int NAME##_line(Results *results, char *line) { \
                return take_line(results, NAME##_rows, line);  \
        }                                                      \
        const ResultsForm results_##NAME = { #NAME, sizeof(RowsState), NAME##_line, take_end }

FORM(pytest);
FORM(ctest);
FORM(cargo);
FORM(jest);
FORM(mocha);

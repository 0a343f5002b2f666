/*
 * results-node: see results-node.h. Depth is indentation: four blanks in TAP, two in spec. What a suite is called
 * stands before its tests in both ("# Subtest: NAME", "▶ NAME"), how it went behind them.
 */
#include "sandbox/files/results-node.h"

#include <stdio.h>
#include <string.h>

#include "base/owned.h"
#include "sandbox/files/results-pattern.h"
#include "sandbox/files/results-why.h"

#define DEPTH_MAX 16
#define SUITE_MAX 200

typedef enum NodeKind {
        NODE_PASSED = TEST_PASSED,
        NODE_FAILED = TEST_FAILED,
        NODE_SKIPPED = TEST_SKIPPED,
        NODE_SUITE, /* begins */
        NODE_LAST,  /* the tests are over: failures are told again */
} NodeKind;

typedef struct NodeRow {
        NodeKind kind;
        unsigned indent; /* blanks of one level */
        const char *pattern;
} NodeRow;

static const NodeRow rows[] = {
        { NODE_SUITE, 4, "# Subtest: %n" },
        { NODE_SKIPPED, 4, "ok %d - %n # SKIP%r" },
        { NODE_SKIPPED, 4, "not ok %d - %n # TODO%r" },
        { NODE_PASSED, 4, "ok %d - %n # TODO%r" },
        { NODE_PASSED, 4, "ok %d - %n" },
        { NODE_FAILED, 4, "not ok %d - %n" },
        { NODE_SUITE, 2, "▶ %n" },
        { NODE_SKIPPED, 2, "﹣ %n (%dms)%r" },
        { NODE_SKIPPED, 2, "﹣ %n (%d.%dms)%r" },
        { NODE_PASSED, 2, "✔ %n (%dms)%r" },
        { NODE_PASSED, 2, "✔ %n (%d.%dms)%r" },
        { NODE_SKIPPED, 2, "✖ %n (%dms) # %r" },
        { NODE_SKIPPED, 2, "✖ %n (%d.%dms) # %r" },
        { NODE_FAILED, 2, "✖ %n (%dms)" },
        { NODE_FAILED, 2, "✖ %n (%d.%dms)" },
        { NODE_LAST, 2, "ℹ tests %d" },
        { NODE_LAST, 2, "✖ failing tests:" },
};

typedef struct NodeState {
        char suites[DEPTH_MAX][SUITE_MAX];
        uint64_t tests[DEPTH_MAX];  /* counted below the suite that is open at this depth */
        uint64_t failed[DEPTH_MAX]; /* of these */
        bool over;
        WhyOpen why;
} NodeState;

static void open_suite(NodeState *state, unsigned depth, const PatternName *name) {
        (void) snprintf(state->suites[depth], SUITE_MAX, "%.*s", (int) name->n, name->at);
        state->tests[depth] = 0;
        state->failed[depth] = 0;
}

static int count_test(Results *results, TestStatus status, unsigned depth,
                      const PatternName *name) {
        NodeState *state = results->state;
        char whole[DEPTH_MAX * (SUITE_MAX + 3) + RESULTS_LINE_MAX + 1];
        size_t n = 0;
        int r;

        for (unsigned i = 0; i < depth; i++) {
                state->tests[i]++;
                state->failed[i] += status == TEST_FAILED;
                if (*state->suites[i])
                        n += (size_t) snprintf(whole + n, sizeof(whole) - n, "%s > ",
                                               state->suites[i]);
        }
        n += (size_t) snprintf(whole + n, sizeof(whole) - n, "%.*s", (int) name->n, name->at);
        r = results_why_close(results, &state->why);
        if (r >= 0)
                r = results_test(results, status, whole, n);
        if (r >= 0 && status == TEST_FAILED)
                r = results_why_open(results, &state->why, &(PatternName){ whole, n }, WHY_UNKNOWN);
        return r;
}

static int take_result(Results *results, TestStatus status, unsigned depth,
                       const PatternName *name) {
        NodeState *state = results->state;
        bool is_suite = state->tests[depth] > 0;
        bool told = is_suite && (status != TEST_FAILED || state->failed[depth] > 0);

        state->tests[depth] = 0;
        state->failed[depth] = 0;
        *state->suites[depth] = 0;
        return told ? 0 : count_test(results, status, depth, name);
}

/* In the block behind a failed test: "error: 'sum is not a function'", "code: 'ERR_ASSERTION'", "name: 'TypeError'" */
static void hear(NodeState *state, const char *line) {
        static const char *const fields[] = { "error: ", "code: ", "name: " };

        for (size_t i = 0; i < ELEMENTS(fields); i++) {
                size_t n = strlen(fields[i]);

                if (strncmp(line, fields[i], n) == 0)
                        results_why_hear(&state->why, line + n + strspn(line + n, "'\""));
        }
}

static int take_line(Results *results, char *line) {
        NodeState *state = results->state;
        size_t blanks = strspn(line, " ");
        PatternName name;

        for (size_t i = 0; !state->over && i < ELEMENTS(rows); i++) {
                size_t depth = blanks / rows[i].indent;

                if (blanks % rows[i].indent || depth >= DEPTH_MAX ||
                    !results_pattern_match(rows[i].pattern, line + blanks, &name))
                        continue;
                if (rows[i].kind == NODE_LAST)
                        state->over = true;
                else if (rows[i].kind == NODE_SUITE)
                        open_suite(state, (unsigned) depth, &name);
                else
                        return take_result(results, (TestStatus) rows[i].kind, (unsigned) depth,
                                           &name);
                return 0;
        }
        hear(state, line + blanks);
        return 0;
}

static int take_end(Results *results) {
        NodeState *state = results->state;

        return results_why_close(results, &state->why);
}

const ResultsForm results_node = { "node", sizeof(NodeState), take_line, take_end };

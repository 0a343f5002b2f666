/*
 * compare: see compare.h. Both lists are sorted by name and walked side by side, a group of equal names
 * at a time.
 */
#include "supervisor/front/gate/compare.h"

#include "supervisor/front/gate/test-groups.h"

static int name_it(cJSON *names, const char *name) {
        if ((unsigned) cJSON_GetArraySize(names) >= VERDICT_NAMES_MAX)
                return 0;
        return json_push_text(names, name) ? 0 : -ENOMEM;
}

static int walk(SortedTests *base, SortedTests *run, Verdict *verdict) {
        const char *name;
        int r = 0;

        while (r == 0 && (name = sorted_tests_next(base))) {
                TestGroup was = sorted_tests_take(base, name), is = sorted_tests_take(run, name);

                if (is.n < was.n)
                        r = name_it(verdict->missing, name);
                else if (is.live < was.live)
                        r = name_it(verdict->skipped, name);
        }
        return r;
}

/* A test that fails is known where it is on the base, and passes there no more often than now */
static int walk_known(SortedTests *base, SortedTests *run, Verdict *verdict) {
        const char *name;
        int r = 0;

        while (r == 0 && (name = sorted_tests_next(run))) {
                TestGroup is = sorted_tests_take(run, name), was = sorted_tests_take(base, name);
                size_t failed = is.live - is.passed;

                if (failed == 0 || was.live == 0 || was.passed > is.passed ||
                    was.live - was.passed < failed)
                        continue;
                verdict->tests.known += failed;
                r = name_it(verdict->known, name);
        }
        return r;
}

/* In the order of their names: in which order tests report may differ from run to run */
static int name_failing(const SortedTests *run, Verdict *verdict) {
        for (size_t i = 0; i < run->n; i++)
                if (run->tests[i]->status == TEST_FAILED &&
                    name_it(verdict->failing, run->tests[i]->name) < 0)
                        return -ENOMEM;
        return 0;
}

static int compare_base(const RunCommand *base, SortedTests *is, Verdict *verdict) {
        SortedTests was = { 0 };
        int r = sorted_tests_init(&was, base);

        if (r == 0)
                r = walk(&was, is, verdict);
        was.at = is->at = 0;
        if (r == 0)
                r = walk_known(&was, is, verdict);
        sorted_tests_deinit(&was);
        return r;
}

int compare_names(const RunCommand *base, const RunCommand *run, Verdict *verdict) {
        SortedTests is = { 0 };
        int r = sorted_tests_init(&is, run);

        if (r == 0)
                r = name_failing(&is, verdict);
        if (r == 0 && base && !base->names_cut && !run->names_cut)
                r = compare_base(base, &is, verdict);
        sorted_tests_deinit(&is);
        return r;
}

CompareCounts compare_counts(const RunCommand *base, const RunCommand *run) {
        if (!base || run->parse == PARSE_EXIT)
                return COMPARE_SAME;
        if (run->names_cut && !base->names_cut) /* so many that the base's cannot be looked for */
                return COMPARE_FEWER;
        if (run->passed + run->failed + run->skipped < base->passed + base->failed + base->skipped)
                return COMPARE_FEWER;
        if (run->skipped > base->skipped && run->passed + run->failed < base->passed + base->failed)
                return COMPARE_SKIPPED;
        return COMPARE_SAME;
}

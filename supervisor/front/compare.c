/*
 * compare: see compare.h. Both lists are sorted by name and walked side by side, a group of equal names
 * at a time.
 */
#include "supervisor/front/compare.h"

#include <string.h>

typedef struct Sorted {
        const RunTest **tests; /* owned array of borrowed tests */
        size_t n;
        size_t at;
} Sorted;

typedef struct Group { /* tests of one name */
        size_t n;
        size_t live; /* not skipped */
        size_t passed;
} Group;

static int by_name(const void *a, const void *b) {
        const RunTest *const *left = a, *const *right = b;

        return strcmp((*left)->name, (*right)->name);
}

static int sorted_init(Sorted *sorted, const RunCommand *command) {
        *sorted = (Sorted){ .n = command->n_tests };
        if (sorted->n == 0)
                return 0;
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): the tests stay the command's, pointers are sorted */
        sorted->tests = calloc(sorted->n, sizeof(*sorted->tests));
        if (!sorted->tests)
                return -ENOMEM;
        for (size_t i = 0; i < sorted->n; i++)
                sorted->tests[i] = &command->tests[i];
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): as above */
        qsort(sorted->tests, sorted->n, sizeof(*sorted->tests), by_name);
        return 0;
}

/* Take the group of @name off the front, where it is there */
static Group take_group(Sorted *sorted, const char *name) {
        Group group = { 0 };

        while (sorted->at < sorted->n && strcmp(sorted->tests[sorted->at]->name, name) < 0)
                sorted->at++;
        while (sorted->at < sorted->n && strcmp(sorted->tests[sorted->at]->name, name) == 0) {
                uint32_t status = sorted->tests[sorted->at++]->status;

                group.n++;
                group.live += status != TEST_SKIPPED;
                group.passed += status == TEST_PASSED;
        }
        return group;
}

static int name_it(cJSON *names, const char *name) {
        if ((unsigned) cJSON_GetArraySize(names) >= VERDICT_NAMES_MAX)
                return 0;
        return json_push_text(names, name) ? 0 : -ENOMEM;
}

static int walk(Sorted *base, Sorted *run, Verdict *verdict) {
        int r = 0;

        while (r == 0 && base->at < base->n) {
                const char *name = base->tests[base->at]->name;
                Group was = take_group(base, name), is = take_group(run, name);

                if (is.n < was.n)
                        r = name_it(verdict->missing, name);
                else if (is.live < was.live)
                        r = name_it(verdict->skipped, name);
        }
        return r;
}

/* A test that fails is known where it is on the base, and passes there no more often than now */
static int walk_known(Sorted *base, Sorted *run, Verdict *verdict) {
        int r = 0;

        while (r == 0 && run->at < run->n) {
                const char *name = run->tests[run->at]->name;
                Group is = take_group(run, name), was = take_group(base, name);
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
static int name_failing(const Sorted *run, Verdict *verdict) {
        for (size_t i = 0; i < run->n; i++)
                if (run->tests[i]->status == TEST_FAILED &&
                    name_it(verdict->failing, run->tests[i]->name) < 0)
                        return -ENOMEM;
        return 0;
}

static int compare_base(const RunCommand *base, Sorted *is, Verdict *verdict) {
        Sorted was = { 0 };
        int r = sorted_init(&was, base);

        if (r == 0)
                r = walk(&was, is, verdict);
        was.at = is->at = 0;
        if (r == 0)
                r = walk_known(&was, is, verdict);
        free(was.tests);
        return r;
}

int compare_names(const RunCommand *base, const RunCommand *run, Verdict *verdict) {
        Sorted is = { 0 };
        int r = sorted_init(&is, run);

        if (r == 0)
                r = name_failing(&is, verdict);
        if (r == 0 && base && !base->names_cut && !run->names_cut)
                r = compare_base(base, &is, verdict);
        free(is.tests);
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

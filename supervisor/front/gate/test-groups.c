/* test-groups: see test-groups.h. */
#include "supervisor/front/gate/test-groups.h"

#include <string.h>

static int by_name(const void *a, const void *b) {
        const RunTest *const *left = a, *const *right = b;

        return strcmp((*left)->name, (*right)->name);
}

int sorted_tests_init(SortedTests *sorted, const RunCommand *command) {
        *sorted = (SortedTests){ .n = command ? command->n_tests : 0 };
        if (!command || sorted->n == 0)
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

void sorted_tests_deinit(SortedTests *sorted) {
        free(sorted->tests);
        *sorted = (SortedTests){ 0 };
}

const char *sorted_tests_next(const SortedTests *sorted) {
        return sorted->at < sorted->n ? sorted->tests[sorted->at]->name : NULL;
}

TestGroup sorted_tests_take(SortedTests *sorted, const char *name) {
        TestGroup group = { 0 };

        while (sorted->at < sorted->n && strcmp(sorted->tests[sorted->at]->name, name) < 0)
                sorted->at++;
        while (sorted->at < sorted->n && strcmp(sorted->tests[sorted->at]->name, name) == 0) {
                const RunTest *test = sorted->tests[sorted->at++];

                group.n++;
                group.live += test->status != TEST_SKIPPED;
                group.passed += test->status == TEST_PASSED;
                group.broken += test->status == TEST_FAILED && test->why == WHY_BROKEN;
        }
        return group;
}

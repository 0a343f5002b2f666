#pragma once
/*
 * test-groups: the tests of a command sorted by name, so that those of several runs can be walked side by side. A
 * name may stand more than once: some runners repeat them.
 */
#include "supervisor/front/gate/run-result.h"

typedef struct SortedTests {
        const RunTest **tests; /* owned array of borrowed tests */
        size_t n;
        size_t at;
} SortedTests;

typedef struct TestGroup { /* tests of one name */
        size_t n;
        size_t live; /* not skipped */
        size_t passed;
        size_t broken; /* of those that failed: WHY_BROKEN */
} TestGroup;

/** sorted_tests_init() - @command NULL: none. Returns: 0 or -ENOMEM */
int sorted_tests_init(SortedTests *sorted, const RunCommand *command);
/** sorted_tests_deinit() */
void sorted_tests_deinit(SortedTests *sorted);
/** sorted_tests_next() - the name that comes next, borrowed; NULL: there is none left */
const char *sorted_tests_next(const SortedTests *sorted);
/** sorted_tests_take() - the group of @name, where it is there; what sorts before it is passed over */
TestGroup sorted_tests_take(SortedTests *sorted, const char *name);

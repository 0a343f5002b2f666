#pragma once
/*
 * red: the rules of test first, without any process. What the tests did on the base, on the base with the new and
 * changed tests, and on the patched tree is laid side by side.
 *
 * A test counts as new where the patched tree names it more often than the base; as changed where the patch changes
 * test files and it passed before. It is red where it fails on the base with the tests of the patch: by what
 * it asserts, as far as its runner tells the difference, and not because it could not run.
 */
#include "supervisor/front/gate/patch-apply.h"
#include "supervisor/front/gate/run-result.h"

typedef struct RedCase { /* all borrowed */
        const VerifySpec *spec;
        const PatchList *list;  /* which test files the patch adds and changes */
        const RunResult *base;  /* NULL where the spec names no tests */
        const RunResult *red;   /* the base with the tests of the patch */
        const RunResult *green; /* the patched tree: a verdict `passed` */
} RedCase;

typedef struct Red {
        cJSON *red;      /* names of tests that are red; arrays, owned */
        cJSON *commands; /* ids of commands that fail with the new tests and name none themselves */
        cJSON *not_red;  /* {"test", "why"}: passes, skipped, broken, not_run */
        uint64_t n_red, n_not_red; /* the lists hold VERDICT_NAMES_MAX */
} Red;

/** red_init() - empty lists. Returns: 0 or -ENOMEM */
int red_init(Red *red);
/** red_deinit() */
void red_deinit(Red *red);

/** red_judge() - fill @red. Returns: 0 or -ENOMEM */
int red_judge(const RedCase *facts, Red *red);

/** red_is_good() - at least one test is red, and none is new and not red */
bool red_is_good(const Red *red);

/** red_reason() - why it is not good, as a sentence that says what to do */
void red_reason(const Red *red, char *text, size_t size);

/**
 * red_old_failing() - tests that pass on the base, and no longer with the change while the tests are the base's
 * @old: what the commands did on the patched tree with the tests of the base
 * @ret: fresh array of names, or of commands where the spec names no tests; owned by the caller
 *
 * Returns: 0 or -ENOMEM.
 */
int red_old_failing(const RunResult *base, const RunResult *old, cJSON **ret);

/**
 * red_notices() - does what the commands did without a hunk fall short of the patched tree: then a test proves it
 * Returns: 1, 0, -ENOMEM.
 */
int red_notices(const RunResult *green, const RunResult *without);

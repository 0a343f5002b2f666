#pragma once
/*
 * verdict: the rules of the gate, without any process: from what the patch touched and what the tests
 * did, on the base and on the patched tree, to one word.
 *
 *   tampered  the protection layer put a file back or took one away, even if every test passes
 *   error     the commands could not be carried out
 *   timeout   a command ran out of time
 *   failed    a command failed or met another limit; a test fails, is missing, is newly skipped; or no
 *             test ran at all where the spec says that tests can be named. Where the spec names what
 *             must newly pass (`expect`), these tests must, and what fails on the base may go on failing
 *             Where test first is asked for: no test is new, or not red, or a hunk that must be is not
 *             proved; where tests are held back: one of these fails (overfitted)
 *   passed    nothing of that
 *   flaky     of the runs that the spec asks for (`reruns`) some passed, and too few
 */
#include "supervisor/front/gate/run-result.h"

#define VERDICT_NAMES_MAX  200u /* names in one list of a verdict; the counts are always whole */
#define VERDICT_REASON_MAX 512u

typedef enum VerdictKind {
        VERDICT_PASSED = 0,
        VERDICT_FAILED,
        VERDICT_FLAKY,
        VERDICT_TAMPERED,
        VERDICT_TIMEOUT,
        VERDICT_ERROR,
        _VERDICT_KIND_MAX,
} VerdictKind;

typedef struct VerdictTests {
        uint64_t base; /* named or counted on the base, skipped ones too */
        uint64_t run;  /* that passed or failed now */
        uint64_t passed;
        uint64_t failed;
        uint64_t skipped;
        uint64_t known; /* of the failed: named ones that fail on the base as well */
} VerdictTests;

typedef struct Touched { /* what the protection layer found; arrays of paths, owned */
        cJSON *restored;
        cJSON *dangerous;
        cJSON *new_tests;
        cJSON *remarks;    /* objects: {"check", "file", "line", "text"}, the first ones */
        unsigned remarked; /* BIT(RemarkCheck) of all */
} Touched;

typedef struct Verdict {
        VerdictKind kind;
        char cause[32];                  /* "" where passed; a word for machines: "tests_missing" */
        char reason[VERDICT_REASON_MAX]; /* a sentence */
        bool limit;                      /* a limit tripped: exit code 3 */
        bool is_input; /* an error of what was handed in, not of the host: exit code 2 */
        VerdictTests tests;
        cJSON *failing; /* arrays of names, owned */
        cJSON *known;   /* of these: they fail on the base as well */
        cJSON *missing; /* named on the base, not now */
        cJSON *skipped; /* ran on the base, skipped now */
        cJSON *flaky;   /* failed in one run of several, not in all */
        unsigned runs, runs_passed;
        cJSON *tdd; /* owned: what test first found (proof.h); NULL: it was not asked for */
        cJSON *held; /* owned: what held-back tests found (held.h), names too: not for an agent; NULL: there are none */
} Verdict;

/** verdict_name() - "passed" */
const char *verdict_name(VerdictKind kind);
/** verdict_exit() - exit code of `warder verify` as formats.md says */
int verdict_exit(const Verdict *verdict);

/** verdict_init() - empty lists. Returns: 0 or -ENOMEM (then there is nothing to release) */
int verdict_init(Verdict *verdict);
/** verdict_deinit() - release the lists */
void verdict_deinit(Verdict *verdict);

/** verdict_say() - kind, cause and sentence at once, for what is found before any test could run */
void verdict_say(Verdict *verdict, VerdictKind kind, const char *cause, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

typedef struct VerdictCase { /* all borrowed */
        const VerifySpec *spec;
        const RunResult *base; /* NULL where the spec names no tests */
        const RunResult *run;
        const Touched *touched;
} VerdictCase;

/**
 * verdict_judge() - apply the rules
 * @verdict: initialised; filled
 *
 * Returns: 0 or -ENOMEM.
 */
int verdict_judge(Verdict *verdict, const VerdictCase *facts);

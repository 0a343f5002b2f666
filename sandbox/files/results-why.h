#pragma once
/*
 * results-why: why a test failed, where its runner tells: because what it looks at is not as it should be, or
 * because it could not do its work at all (a missing import, a syntax error, a fixture that is not there).
 * It is told behind the test itself, as a RECORD_WHY that names it. Like all of a runner's output it is a claim.
 */
#include "sandbox/files/results-pattern.h"
#include "sandbox/files/results.h"

#define RESULTS_WHY_MAX  1000u /* told; of more tests than that the reader knows nothing */
#define RESULTS_WHY_NAME (2 * RESULTS_LINE_MAX)

typedef struct WhyOpen { /* the test whose failure is being told, line by line */
        char name[RESULTS_WHY_NAME];
        size_t n; /* 0: none is open */
        TestWhy why;
        bool heard;
} WhyOpen;

/** results_why_of() - what the text of an exception, or the first line of a reason, says; WHY_UNKNOWN: nothing */
TestWhy results_why_of(const char *text);

/** results_why() - tell it. Returns: 0 or negative errno */
int results_why(Results *results, TestWhy why, const char *name, size_t n);

/** results_why_open() - close what is open, and begin with a test; @otherwise: where nothing more is heard */
int results_why_open(Results *results, WhyOpen *open, const PatternName *name, TestWhy otherwise);
/** results_why_hear() - a line that belongs to it; what says that the test is broken outweighs the rest */
void results_why_hear(WhyOpen *open, const char *line);
/** results_why_close() - tell what was heard. Returns: 0 or negative errno */
int results_why_close(Results *results, WhyOpen *open);

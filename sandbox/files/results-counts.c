/*
 * results-counts: see results-counts.h.
 *
 * A line counts tests where it has two counts side by side ("3 passed, 1 failed"), or one that ends the
 * line or stands before a time ("42 passed in 0.31s"). Prose with a number in it does neither.
 */
#include "sandbox/files/results-counts.h"

#include <string.h>

#include "base/owned.h"

typedef struct CountWord {
        const char *word;
        size_t offset; /* in ResultSums */
} CountWord;

static const CountWord words[] = {
        { "passed", offsetof(ResultSums, passed) },   { "failed", offsetof(ResultSums, failed) },
        { "skipped", offsetof(ResultSums, skipped) }, { "ignored", offsetof(ResultSums, skipped) },
        { "errors", offsetof(ResultSums, failed) },   { "error", offsetof(ResultSums, failed) },
};

/* Runners that count files beside tests. */
static const char *const other_counts[] = { "Test Suites:", "Test Files" };

typedef struct Sums {
        ResultSums found;
        unsigned counts;
        bool at_end; /* the last count ends the line, or a time follows */
} Sums;

static bool is_letter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* "N word" at @at: add it up. Returns: where it ends, NULL where it is none. */
static const char *take_count(const char *at, ResultSums *sums) {
        uint64_t value = 0;
        size_t i;

        for (; *at >= '0' && *at <= '9'; at++)
                if (value < UINT32_MAX)
                        value = value * 10 + (uint64_t) (*at - '0');
        if (*at++ != ' ')
                return NULL;
        for (i = 0; i < ELEMENTS(words); i++) {
                size_t n = strlen(words[i].word);

                if (strncmp(at, words[i].word, n) != 0 || is_letter(at[n]))
                        continue;
                *(uint64_t *) (void *) ((char *) sums + words[i].offset) += value;
                return at + n;
        }
        return NULL;
}

static bool ends_here(const char *at) {
        if (strncmp(at, " in ", 4) == 0)
                return true;
        at += strspn(at, " =.)");
        return *at == 0;
}

/* Is there nothing but a separator between two counts. */
static bool side_by_side(const char *from, const char *to) {
        return from && from + strspn(from, ",; |") >= to;
}

/* The first run of counts in a line that means tests, or none. */
static void scan(const char *line, Sums *sums) {
        const char *at = line, *last = NULL;

        while (*at) {
                bool starts =
                        *at >= '0' && *at <= '9' && (at == line || at[-1] == ' ' || at[-1] == '(');
                Sums next = *sums;
                const char *end;

                if (sums->counts < 2 && !side_by_side(last, at))
                        next = (Sums){ 0 };
                end = starts ? take_count(at, &next.found) : NULL;
                if (!end) {
                        at++;
                        continue;
                }
                *sums = next;
                sums->counts++;
                sums->at_end = ends_here(end);
                at = last = end;
        }
}

bool results_counts_line(const char *line, ResultSums *sums) {
        const char *start = line + strspn(line, " \t");
        Sums found = { 0 };
        size_t i;

        for (i = 0; i < ELEMENTS(other_counts); i++)
                if (strncmp(start, other_counts[i], strlen(other_counts[i])) == 0)
                        return false;
        scan(line, &found);
        if (found.counts == 0 || (found.counts == 1 && !found.at_end))
                return false;
        sums->passed += found.found.passed;
        sums->failed += found.found.failed;
        sums->skipped += found.found.skipped;
        return true;
}

static int take_line(Results *results, char *line) {
        (void) results_counts_line(line, &results->sums);
        return 0;
}

const ResultsForm results_counts = { "counts", 0, take_line, NULL };

/*
 * results-counts: see results-counts.h.
 *
 * A line counts tests where it has two counts side by side ("3 passed, 1 failed"), or one that ends the
 * line or stands before a time ("42 passed in 0.31s"); and, in the form "counts" alone, where a label and a
 * number are all of it ("Tests failed: 0", "PASSED: 15"). Prose with a number in it does none of that.
 */
#include "sandbox/files/results-counts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* The count that a label means; NULL: none */
static const CountWord *find_label(const char *text, size_t n) {
        static const CountWord labels[] = {
                { "passed", offsetof(ResultSums, passed) },
                { "pass", offsetof(ResultSums, passed) },
                { "failed", offsetof(ResultSums, failed) },
                { "fail", offsetof(ResultSums, failed) },
                { "failures", offsetof(ResultSums, failed) },
                { "errors", offsetof(ResultSums, failed) },
                { "skipped", offsetof(ResultSums, skipped) },
        };

        for (size_t i = 0; i < ELEMENTS(labels); i++)
                if (strlen(labels[i].word) == n && strncasecmp(text, labels[i].word, n) == 0)
                        return &labels[i];
        return NULL;
}

/* "Tests failed: 0", a label and a number and nothing else */
static void take_labelled(const char *line, ResultSums *sums) {
        const char *at = line + strspn(line, " \t#*="), *colon = strchr(at, ':'), *digits;
        const CountWord *label;
        size_t n;

        if (!colon)
                return;
        if (strncasecmp(at, "tests ", 6) == 0)
                at += 6;
        n = (size_t) (colon - at);
        while (n > 0 && at[n - 1] == ' ')
                n--;
        label = find_label(at, n);
        digits = colon + 1 + strspn(colon + 1, " \t");
        n = strspn(digits, "0123456789");
        if (!label || n == 0 || n > 9 || digits[n + strspn(digits + n, " \t")] != 0)
                return;
        *(uint64_t *) (void *) ((char *) sums + label->offset) += strtoull(digits, NULL, 10);
}

static int take_line(Results *results, char *line) {
        if (!results_counts_line(line, &results->sums))
                take_labelled(line, &results->sums);
        return 0;
}

const ResultsForm results_counts = { "counts", 0, take_line, NULL };

#pragma once
/*
 * results-pattern: whether one line of a test runner's output has a given shape, and which part of it is the
 * test's name.
 *
 * A pattern is text that must stand there, and these, each at most once but for %b:
 *   %n  the name: as few bytes as let the rest of the pattern match, at least one
 *   %d  a number     %b  blanks, or none     %p  a leader of three dots or more
 *   %=  a rule of equals signs, or none      %e  the end, or blanks and "[" or "(" and whatever follows
 *   %r  whatever is left
 */
#include <stdbool.h>
#include <stddef.h>

typedef struct PatternName {
        const char *at; /* in the line; NULL where the pattern has no %n */
        size_t n;
} PatternName;

/** results_pattern_match() - has the whole line this shape. Takes time in proportion to line times pattern */
bool results_pattern_match(const char *pattern, const char *line, PatternName *ret_name);

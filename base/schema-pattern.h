#pragma once
/*
 * schema-pattern: the pattern keyword. JSON Schema speaks ECMA-262, we match with POSIX extended
 * expressions: what both write alike is taken, \d \w \s and (?:…) are translated, and what would mean
 * something else here is refused. A pattern may come from a peer: back references, long patterns and
 * large repetitions, with which a matcher can be made to run for ever, are refused too.
 */

#define SCHEMA_PATTERN_MAX 512

/**
 * schema_pattern_match() - does @pattern match anywhere in @text
 *
 * LIMIT: works on bytes; "." is one byte of a character outside ASCII.
 *
 * Returns: 1, 0, -ENOTSUP for a pattern that is not taken.
 */
int schema_pattern_match(const char *pattern, const char *text);

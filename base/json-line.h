#pragma once
/*
 * json-line: where in a text a value stands, for messages about files that people write. A tree of cJSON
 * has no places, so the text is walked again.
 */
#include <stddef.h>

#include "base/error.h"

/**
 * json_line() - the line on which a member or element begins
 * @text:    what json_parse() took with JSON_COMMENTS, as it was read
 * @n:       its bytes
 * @pointer: JSON pointer (RFC 6901), "" for the whole
 *
 * Where there is no such value (it is missing, or its name is written with escapes): the line of the
 * nearest one that contains its place.
 *
 * Returns: 1 and up; 0 where there is no memory or the text cannot be walked.
 */
unsigned json_line(const char *text, size_t n, const char *pointer);

/** json_line_error() - "FILE:LINE: POINTER: TEXT", as every wrong file of ours is told of. Returns: -EINVAL */
int json_line_error(Error *err, const char *file, unsigned line, const char *pointer,
                    const char *text);

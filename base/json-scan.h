#pragma once
/*
 * json-scan: is a text exactly one value of RFC 8259? cJSON accepts more (numbers like "01", control
 * characters, half surrogates, bytes after a NUL), so every text passes here before cJSON builds a tree.
 */
#include <stddef.h>

#include "base/error.h"

/**
 * json_scan() - check a whole text
 *
 * Refused with line, column and reason: what the RFC does not allow, invalid UTF-8, NUL also as \u0000,
 * lone surrogates, depth above JSON_DEPTH_MAX, an empty text, a byte order mark.
 *
 * Returns: 0 or -EINVAL.
 */
int json_scan(const char *text, size_t n, Error *err);

/** json_blank_comments() - overwrite comments (line and block) with blanks, newlines kept. Returns: 0, -EINVAL */
int json_blank_comments(char *text, size_t n, Error *err);

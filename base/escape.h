#pragma once
/*
 * escape: text from outside made safe to show. Control bytes, bidirectional overrides, characters that show as
 * nothing and invalid UTF-8 become \xNN; nothing that a terminal acts on, or that hides a text, passes.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/** escape_text() - append @n bytes, escaped; '\n' and '\t' pass where @lines. Returns: as buf_append() */
int escape_text(Buf *buf, const char *text, size_t n, int lines);

/** escape_new() - the escaped text as fresh memory (free()), cut to @max bytes with "…"; NULL: no memory */
char *escape_new(const char *text, size_t max);

/** utf8_is_valid() - is all of it well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms) */
int utf8_is_valid(const char *text, size_t n);

/** utf8_next() - the first character of @text. Returns: its bytes (1..4), 0 where none is well-formed */
size_t utf8_next(const char *text, size_t n, uint32_t *ret_code);

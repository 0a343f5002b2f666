#pragma once
/*
 * base64: RFC 4648 section 4, with padding, and nothing but that: one text for one value.
 */
#include <stddef.h>
#include <stdint.h>

#define BASE64_SIZE(N) (((N) + 2) / 3 * 4 + 1) /* bytes of the text of N bytes, with its NUL */

/** base64_format() - @n bytes into @text of BASE64_SIZE(n). Returns: @text */
char *base64_format(const void *bytes, size_t n, char *text);

/**
 * base64_parse() - the exact form: whole groups, no blanks, unused bits 0
 * @ret_bytes: room for @max bytes
 *
 * Returns: 0, -EINVAL, -E2BIG.
 */
int base64_parse(const char *text, size_t n, void *ret_bytes, size_t max, size_t *ret_n);

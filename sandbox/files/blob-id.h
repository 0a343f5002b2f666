#pragma once
/*
 * blob-id: the name that git gives to a file's content: SHA-1 of "blob", its size, a zero byte and the content.
 */
#include <stddef.h>

#include "base/error.h"

#define BLOB_ID_TEXT_MAX 41 /* 40 digits and the final 0 */

/** blob_id() - of @n bytes, as 40 hex digits into @ret_text. Returns: 0 or negative errno */
int blob_id(const void *bytes, size_t n, char *ret_text, Error *err);

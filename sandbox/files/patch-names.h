#pragma once
/*
 * patch-names: how names stand in a patch: plain, or in quotes with C escapes, behind a prefix such as "a/".
 */
#include <stddef.h>

#include "sandbox/files/names.h"

/** patch_name_take() - a name at @at that ends with @n bytes or, unquoted, before a tab; @ret_name has NAME_PATH_MAX + 2 */
bool patch_name_take(const char *at, size_t n, char *ret_name);

/** patch_name_strip() - take "a/" off the front: one letter or digit and a slash. Returns: inside @name, NULL without a prefix */
const char *patch_name_strip(const char *name);

/**
 * patch_name_title() - the one name of a "diff --git" line, without its prefix
 * @at: behind "diff --git ", @n bytes, without the newline
 *
 * Returns: false where the line names two files, or cannot be read alone: other lines then have the names.
 */
bool patch_name_title(const char *at, size_t n, char *ret_name);

#pragma once
/*
 * names: which paths from outside may be used at all, and their one clean form: relative to the tree,
 * components joined by single slashes, no "." and no "..", no slash at the end. The root itself is "".
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/rules.h"

#define NAME_PATH_MAX  4096 /* a path and its final 0 */
#define NAME_PART_MAX  255
#define NAME_DEPTH_MAX 256

/**
 * name_clean() - check @path and write its clean form
 * @n:         bytes of @path, so that a 0 inside is seen
 * @ret_clean: room for NAME_PATH_MAX
 *
 * Returns: RULE_NONE, or the rule that it breaks.
 */
RecordRule name_clean(const char *path, size_t n, char *ret_clean);

/** name_sentence() - what a rule of names means, for a person */
const char *name_sentence(RecordRule rule);

/** name_leaf() - the last component of a clean path, inside it */
const char *name_leaf(const char *path);

/** name_has_git() - is one of the components ".git", in any case */
bool name_has_git(const char *path);

/** name_join() - @dir, '/' where @dir is not "", and @leaf. Returns: false where the whole is too long */
bool name_join(char *ret_path, const char *dir, const char *leaf);

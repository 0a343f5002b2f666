#pragma once
/*
 * glob: path patterns. '*', '?' and '[...]' match within one component; "**" as a whole component matches any
 * number of components, at the end at least one; '\' quotes; "{a,b}" gives alternatives. All take time in
 * proportion to pattern times path: a pattern may come from outside.
 */
#include <stdbool.h>

#include "base/error.h"
#include "base/owned.h"

#define GLOB_ALTERNATIVES_MAX 64
#define GLOB_PATTERN_MAX      4096

typedef struct Globs {
        char **patterns; /* owned, without braces */
        unsigned n;
} Globs;

#define GLOBS_EMPTY ((Globs){ 0 })

/** glob_match() - does a pattern without braces match the whole path */
bool glob_match(const char *pattern, const char *path);

/** globs_add() - one more pattern, its alternatives written out. Returns: 0, -EINVAL with a sentence, -ENOMEM */
int globs_add(Globs *globs, const char *pattern, Error *err);
/** globs_deinit() - release them */
void globs_deinit(Globs *globs);
/** globs_match() - does any of them match the whole path */
bool globs_match(const Globs *globs, const char *path);

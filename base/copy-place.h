#pragma once
/*
 * copy-place: where a copy goes: a directory that is open, a name in it, and a name of our own under which it is
 * made first.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/copy.h"
#include "base/error.h"

typedef struct CopyPlace {
        int dir; /* owned */
        char name[COPY_NAME_MAX + 1];
        char temporary[32]; /* "": it has its name, or nothing was made */
} CopyPlace;

/**
 * copy_place_open() - find it; nothing is made
 * @path: a directory, in which it gets @name; or what it becomes itself, in a directory that is there
 * @name: one name; "": there is none, so that @path must not be a directory
 *
 * Links on the way to the last name of @path are followed; that last name itself must be none.
 *
 * Returns: 0; -ELOOP: it is a link; -EISDIR: it is a directory and there is no name; or negative errno.
 */
int copy_place_open(CopyPlace *ret, const char *path, const char *name, Error *err);

/** copy_place_enter() - @path itself, a directory, in which things get their names. Returns: 0 or negative errno */
int copy_place_enter(CopyPlace *ret, const char *path, Error *err);

/** copy_place_fill() - give what was made under the temporary name its own. Returns: 0 or negative errno */
int copy_place_fill(CopyPlace *place, Error *err);

/** copy_place_deinit() - close it; what still has the temporary name is removed */
void copy_place_deinit(CopyPlace *place);

/** copy_name_is_valid() - can it be an entry of a directory, and leads nowhere else */
bool copy_name_is_valid(const char *name, size_t n);

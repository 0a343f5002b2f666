#pragma once
/*
 * root-path: look-ups beneath a root that a hostile archive may have made.
 */
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/** dir_make() - make a directory of exactly this mode, owned by user and group @id. Returns: 0 or negative errno */
int dir_make(int dir, const char *name, mode_t mode, uint32_t id, Error *err);

/**
 * root_open() - open beneath a root; no link is followed on the way
 * Returns: descriptor owned by the caller, or negative errno (-ELOOP: a link).
 * Source:  openat2(2) RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS.
 */
int root_open(int root, const char *path, int flags);

/**
 * root_dir() - open a directory beneath a root, made with its parents (0755, owned by @id) where missing
 * Returns: O_PATH descriptor owned by the caller, or negative errno (a link or a file is named).
 */
int root_dir(int root, const char *path, uint32_t id, Error *err);

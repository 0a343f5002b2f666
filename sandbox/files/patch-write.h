#pragma once
/*
 * patch-write: one changed path in the form that git writes and `git apply` takes.
 */
#include "base/buf.h"
#include "sandbox/files/hunks.h"

#define PATCH_FILE_MAX (64u << 20) /* of one side of a changed file: both lie in memory */

#define PATCH_MODE_FILE 0100644u
#define PATCH_MODE_EXEC 0100755u
#define PATCH_MODE_LINK 0120000u

typedef struct PatchSide {
        unsigned mode; /* PATCH_MODE_*, 0: the path is not there */
        HunkBytes content;
} PatchSide;

/**
 * patch_write() - append the change of one path
 * @path: clean, from the root that `git apply` is given
 *
 * Both sides are files, or both links, or one of them is not there. Sides that are equal add nothing.
 *
 * Returns: 0 or negative errno (-ENOBUFS: more than @patch may hold).
 */
int patch_write(Buf *patch, const char *path, const PatchSide *old, const PatchSide *new,
                Error *err);

#pragma once
/*
 * hunks: libgit2 without a repository, without configuration and without a disk: it makes hunks and binary
 * pieces of patches from two buffers. Which file that is, its name and its mode, libgit2 never learns.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

typedef struct HunkBytes {
        const char *bytes; /* borrowed; NULL or anything where n is 0 */
        size_t n;
} HunkBytes;

/**
 * hunks_make() - append what turns @old into @new to @patch: hunks of text, or a binary piece where one of
 * them has a byte 0
 * @ret_binary: which of the two it is
 *
 * Loads libgit2 when it is first called, with no place to look for configuration.
 *
 * Returns: 0 or negative errno (-ENOBUFS: more than @patch may hold; -ENOTSUP: no libgit2).
 */
int hunks_make(HunkBytes old, HunkBytes new, Buf *patch, bool *ret_binary, Error *err);

typedef struct HunksMerged {
        char *bytes; /* owned (free()) */
        size_t n;
        bool conflict; /* marked up in the bytes, as git writes it */
} HunksMerged;

/**
 * hunks_merge() - merge two changes of one text, line by line, as `git merge-file` does it
 * @base: what both were made from; nothing where both are new
 *
 * A conflict's lines stand between "<<<<<<< ours", "=======" and ">>>>>>> theirs".
 *
 * Returns: 0 or negative errno.
 */
int hunks_merge(HunkBytes base, HunkBytes ours, HunkBytes theirs, HunksMerged *ret_merged,
                Error *err);

#pragma once
/*
 * patch-binary: the binary pieces of a patch, as git writes them: one or two halves, forward and back, each a
 * "literal N" or "delta N" line and lines of base 85 that hold a zlib stream of N bytes. A literal is the new
 * content, a delta makes it from the old one.
 *
 * libgit2 writes these pieces but does not apply them here: on a zlib stream that is cut short its version in
 * Debian 12 never returns.
 */
#include "base/error.h"
#include "sandbox/files/hunks.h"

/**
 * patch_binary_apply() - apply the forward half of a piece to @old
 * @piece:     from the line "GIT binary patch" on
 * @ret_bytes: fresh memory (free()), @ret_n bytes
 *
 * Returns: 0, -EBADMSG with a sentence where the piece is damaged or does not fit, -EFBIG, -ENOMEM.
 */
int patch_binary_apply(HunkBytes piece, HunkBytes old, char **ret_bytes, size_t *ret_n, Error *err);

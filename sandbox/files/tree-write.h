#pragma once
/*
 * tree-write: changes files of a tree. A file is never written to where it lies: it is made anew in its
 * place, so that other names of it, and whatever a link points to, keep what they have. What is new belongs
 * to whom its directory belongs in the base, or the next one above it there; what was there keeps its owner.
 *
 * Syscalls: openat2 mkdirat symlinkat unlinkat fchown fchownat fchmod utimensat newfstatat write
 */
#include <sys/stat.h>

#include "sandbox/files/patch-write.h"

typedef struct TreePair { /* descriptors, borrowed */
        int tree;
        int old; /* the base that it came from */
} TreePair;

/**
 * tree_write() - make @path a file or a link with this content
 * @like: of the object that it replaces: owner, and the mode where the executable bit is the same; may be NULL
 *
 * Missing directories are made. A directory in its place is removed with what is in it.
 *
 * Returns: 0 or negative errno.
 */
int tree_write(const TreePair *trees, const char *path, const PatchSide *side,
               const struct stat *like, Error *err);

/** tree_remove() - take @path away, and directories that are empty then. Returns: 0 or negative errno */
int tree_remove(int tree, const char *path, Error *err);

/**
 * tree_restore() - make @path what it is in the base: content, mode, owner and time
 *
 * What stands in its way, also as a parent, is removed.
 *
 * Returns: 0 or negative errno.
 */
int tree_restore(const TreePair *trees, const char *path, Error *err);

#pragma once
/*
 * copy-dirs: the directories that a copy made where it is merged into one that was there. What they are like is set when all
 * else is done: an archive comes back to directories that it has left, and may say only then what they are like.
 */
#include <stddef.h>
#include <sys/stat.h>

#include "base/copy.h"
#include "base/error.h"

#define COPY_DIRS_BUCKETS 4096u

typedef struct MadeDir MadeDir;

struct MadeDir {
        MadeDir *next;
        CopyRecord end; /* the last that was said of it; COPY_LEAVE: nothing was */
        dev_t dev;
        ino_t ino;
        unsigned depth; /* below the place; the place itself has 1 */
        char path[];    /* below the place */
};

typedef struct CopyDirs {                    /* all zeroes: there are none */
        MadeDir *buckets[COPY_DIRS_BUCKETS]; /* owned */
        size_t bytes;
} CopyDirs;

typedef int (*MadeDirFn)(void *userdata, MadeDir *made, Error *err);

/** copy_dirs_find() - the one that is this directory. Returns: borrowed, or NULL: it was not made, or is not kept */
MadeDir *copy_dirs_find(const CopyDirs *dirs, const struct stat *st);

/** copy_dirs_add() - one that was just made. Returns: it, borrowed; NULL: there is no room for more */
MadeDir *copy_dirs_add(CopyDirs *dirs, const struct stat *st, const char *path, unsigned depth);

/**
 * copy_dirs_apply() - call @apply for each, the deepest first
 *
 * So none is reached any more through one that may not be entered.
 *
 * Returns: 0, or negative errno of the first that failed; the others were called all the same.
 */
int copy_dirs_apply(CopyDirs *dirs, MadeDirFn apply, void *userdata, Error *err);

/** copy_dirs_deinit() - forget them */
void copy_dirs_deinit(CopyDirs *dirs);

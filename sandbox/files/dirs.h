#pragma once
/*
 * dirs: the open directories along one path. Trees are read and written mostly in order, so that the
 * directory of the next file is nearly always open already: each component is opened once (openat2, one
 * component, no link) instead of once a file.
 *
 * Syscalls: openat2 close
 */
#include <stdint.h>

#include "sandbox/files/names.h"

typedef struct Dirs {
        int root; /* borrowed */
        unsigned depth;
        int fds[NAME_DEPTH_MAX + 1]; /* owned: of the first component, of the second … (O_PATH) */
        uint16_t ends[NAME_DEPTH_MAX + 1]; /* where each component ends in path */
        char path[NAME_PATH_MAX];          /* of the innermost open directory */
} Dirs;

/** dirs_init() - nothing is open but @root */
void dirs_init(Dirs *dirs, int root);
/** dirs_deinit() - close all */
void dirs_deinit(Dirs *dirs);

/**
 * dirs_enter() - the directory at the first @n bytes of @path
 * @path: clean; @n ends at a component's end, 0 is the root
 *
 * Opens what is missing and closes what does not lie on the path. Where a component cannot be opened the
 * directories before it stay open: @dirs->path is then the part that could be entered.
 *
 * Returns: descriptor (O_PATH) borrowed until the next call, or negative errno (-ENOENT, -ENOTDIR, -ELOOP).
 */
int dirs_enter(Dirs *dirs, const char *path, size_t n);

#pragma once
/*
 * side: one path of a tree as a patch sees it: a file with its content, a link with its target, or nothing.
 */
#include <sys/stat.h>

#include "sandbox/files/patch-write.h"
#include "sandbox/files/report.h"

/** side_mode() - PATCH_MODE_* of what lstat says; 0 for directories and what no patch can hold */
unsigned side_mode(const struct stat *st);

/**
 * side_read() - read @path beneath @dir
 * @ret_side:  mode 0 where nothing is there that a patch can hold
 * @ret_bytes: what the content lies in, owned by the caller (free())
 *
 * Returns: 0, -EFBIG where the file is larger than PATCH_FILE_MAX, or negative errno.
 */
int side_read(int dir, const char *path, PatchSide *ret_side, char **ret_bytes);

/** side_same() - have two files the same bytes, without holding them. Returns: 1, 0, or negative errno */
int side_same(int dir, int other, const char *path);

#pragma once
/*
 * beneath: the only way warder-files opens what lies in a tree. Every open starts at a directory
 * descriptor and goes through openat2(2) with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and
 * RESOLVE_NO_MAGICLINKS: no name in a tree, however made, leads anywhere else.
 *
 * Syscalls: openat2 mkdirat newfstatat readlinkat unlinkat
 */
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"

/**
 * beneath_open() - open @path beneath @dir, through no symbolic link
 * @path:  clean (names.h); "" is @dir itself
 * @flags: as open(2); O_CLOEXEC and O_NOFOLLOW are added
 * @mode:  for O_CREAT
 *
 * Returns: descriptor owned by the caller, or negative errno (-ELOOP: a link on the way or at the end).
 */
int beneath_open(int dir, const char *path, int flags, mode_t mode);

/** beneath_dir() - open a directory beneath @dir, for reading. Returns: descriptor or negative errno */
int beneath_dir(int dir, const char *path);

/**
 * beneath_parent() - open the directory that holds @path (O_PATH)
 * @ret_leaf: the last component, inside @path
 *
 * Returns: descriptor owned by the caller, or negative errno.
 */
int beneath_parent(int dir, const char *path, const char **ret_leaf);

/** beneath_stat() - lstat of @path beneath @dir. Returns: 0 or negative errno (-ENOENT also: a parent is no directory) */
int beneath_stat(int dir, const char *path, struct stat *ret_stat);

/**
 * beneath_read_link() - target of a symbolic link, terminated, into @text of NAME_PATH_MAX
 * Returns: its length, or negative errno (-ENAMETOOLONG).
 */
int beneath_read_link(int dir, const char *path, char *text);

/** beneath_remove() - unlink what is at @path, a directory with all that is in it. Returns: 0 or negative errno */
int beneath_remove(int dir, const char *path);

#pragma once
/*
 * own-dir: the directories of a supervisor: root's, made where they are missing, and one that it hands to its
 * front.
 */
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define OWN_DIR_READ 022u /* others may have a look */
#define OWN_DIR_OURS 077u /* they may not */

/**
 * own_dir() - a directory that is root's, made if it is not there
 * @barred: OWN_DIR_*: rights that nobody else may have on it
 *
 * Returns: descriptor owned by the caller, or negative errno.
 */
int own_dir(int at, const char *path, mode_t mode, mode_t barred, Error *err);

/** own_dir_parent() - the directory above @path is root's and there, made with those above it. Returns: 0 or negative errno */
int own_dir_parent(const char *path, Error *err);

/**
 * own_dir_give() - give a directory and what is in it to an id
 * @fd: of the directory, borrowed
 *
 * Linked files are left alone: they could be someone else's that a hostile front gave a second name.
 *
 * Returns: 0 or negative errno (-ELOOP: it is too deep).
 */
int own_dir_give(int fd, uint32_t uid, uint32_t gid, Error *err);

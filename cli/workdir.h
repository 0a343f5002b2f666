#pragma once
/*
 * workdir: a directory as an archive, for file systems that cannot be shown in a jail as they are.
 */
#include "base/error.h"

/**
 * workdir_pack() - everything beneath @dir, read with the user's rights, as an archive in an unnamed file
 * Returns: 0 and a descriptor at its start, owned by the caller; or negative errno.
 */
int workdir_pack(int dir, int *ret_fd, Error *err);

/** spool_new() - an unnamed file on disk for an archive on its way. Returns: a descriptor, or negative errno */
int spool_new(Error *err);

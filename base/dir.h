#pragma once
/*
 * dir: the entries of a directory that is open.
 */
#include <dirent.h>

/**
 * dir_next() - the next entry, but "." and ".."
 * @ret: borrowed until the next call
 *
 * readdir(3) says of a fault what it says of the end; here they are told apart, so that half a directory does not pass
 * for all of it.
 *
 * Returns: 1; 0: there are no more; or negative errno.
 */
int dir_next(DIR *dir, const struct dirent **ret);

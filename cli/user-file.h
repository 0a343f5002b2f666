#pragma once
/*
 * user-file: a file that the caller named, read with the caller's rights and to its end, so that under sudo
 * nobody reads by a path what only root may read.
 */
#include "base/json.h"

/**
 * user_file_read() - the text of the file at @path
 * @max: bytes; a longer one is refused in words
 *
 * Returns: 0 and the text, owned by the caller, without a zero byte in it; or negative errno.
 */
int user_file_read(const char *path, size_t max, char **ret, Error *err);

/** user_file_json() - the same as JSON, comments allowed; owned by the caller. Returns: 0 or negative errno */
int user_file_json(const char *path, size_t max, cJSON **ret, Error *err);

/** user_file_spool() - the same as a regular file at its start, whatever @path is; "-": stdin. Returns: 0 or negative errno */
int user_file_spool(const char *path, size_t max, int *ret_fd, Error *err);

#pragma once
/*
 * tar-in: a tar archive as the stream of base/copy.h, to be merged into a directory. It runs with the rights of who
 * called, touches no file, and passes on single names only.
 */
#include "base/copy-send.h"

/**
 * tar_in() - read an archive (plain, or compressed by gzip, bzip2, xz, zstd) to its end
 * @from:    borrowed, read to its end
 * @to:      the stream, borrowed
 * @skipped: told of what is no file, directory or link; may be NULL
 *
 * A slash at the beginning of a name is dropped; owners are.
 *
 * Returns: 0; -EBADMSG: it is no such archive, or not whole; -EINVAL: a name in it leads up; or negative errno.
 */
int tar_in(int from, int to, CopySkippedFn skipped, void *userdata, Error *err);

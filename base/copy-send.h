#pragma once
/*
 * copy-send: a file or tree as the stream of base/copy.h. It may change while it is read, by somebody who wants
 * harm: no link is followed, nothing is opened but files and directories, and no file is read beyond
 * the size that it had at first.
 */
#include "base/copy.h"
#include "base/error.h"

/** CopySkippedFn - @name was left out, for the reason @code (negative errno) */
typedef void (*CopySkippedFn)(const char *name, int code, void *userdata);

/** copy_emit() - one record: @name (NULL: none) and record->bytes of @bytes behind it. Returns: 0 or negative errno */
int copy_emit(int to, CopyRecord *record, const char *name, const void *bytes, Error *err);

/**
 * copy_send() - write a stream
 * @to:      pipe or file, borrowed
 * @path:    what is copied; the links on the way to its last name are followed, that is not
 * @skipped: told of what is left out: what cannot be read, is no file, directory or link, lies on a file
 *           system that only shows what the kernel knows, or too deep. NULL: nobody is
 *
 * Returns: 0; -E2BIG: more than COPY_ENTRIES_MAX entries; or negative errno.
 */
int copy_send(int to, const char *path, CopySkippedFn skipped, void *userdata, Error *err);

#pragma once
/*
 * Test suites of others, which are not part of this tree: below $WARDER_SHARED_DATA, or beside the
 * source directory in ../shared/data. A test that does not find one skips and says so.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"

/** shared_path() - the path of @name in @path of @size. Returns: @path */
static inline const char *shared_path(const char *name, char *path, size_t size) {
        const char *shared = getenv("WARDER_SHARED_DATA");
        const char *source = getenv("top_srcdir");

        if (shared)
                (void) snprintf(path, size, "%s/%s", shared, name);
        else
                (void) snprintf(path, size, "%s/../shared/data/%s", source ? source : ".", name);
        return path;
}

/** shared_read() - a whole file. Returns: 0 or negative errno; @ret_text is owned by the caller */
static inline int shared_read(const char *directory, const char *name, char **ret_text,
                              size_t *ret_n) {
        autoclose int at = open(directory, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        autoclose int fd = openat(at, name, O_RDONLY | O_CLOEXEC);

        return fd < 0 ? -errno : fd_read_all(fd, 16 * 1024 * 1024, ret_text, ret_n);
}

#pragma once
/*
 * pack: a tar archive (pax) of files that become a jail's /work, written by libarchive to a descriptor.
 * Every entry belongs to the jail's user; modes are 0644, 0755 or a link's; times are kept.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"
#include "base/owned.h"

typedef struct Pack Pack;

typedef struct PackTotals {
        uint64_t files;
        uint64_t bytes;
        uint64_t skipped; /* sockets, devices and the like */
} PackTotals;

/** pack_new() - begin an archive on @fd (borrowed). Returns: 0 or negative errno */
int pack_new(int fd, Pack **ret, Error *err);
/** pack_free() - release it, finished or not. Returns: NULL */
Pack *pack_free(Pack *pack);
DEFINE_SCOPED(Pack *, pack_free);

/**
 * pack_path() - add what lies at @path beneath @dir: a file, a link, a directory (without its content)
 * @name: in the archive
 *
 * Links are never followed, on no component. What is gone meanwhile is left out. A pointer file of git's
 * large file storage is refused: it is not the file.
 *
 * Returns: 0 or negative errno.
 */
int pack_path(Pack *pack, int dir, const char *path, const char *name, Error *err);

typedef struct PackBytes {
        const char *name;
        mode_t mode; /* S_IFREG | 0644, S_IFREG | 0755, S_IFLNK (bytes are the target), S_IFDIR */
        time_t mtime;
        const void *bytes;
        size_t n;
} PackBytes;

/** pack_bytes() - add what is in memory. Returns: 0 or negative errno */
int pack_bytes(Pack *pack, const PackBytes *entry, Error *err);

/** pack_end() - finish the archive. Returns: 0 or negative errno */
int pack_end(Pack *pack, PackTotals *ret_totals, Error *err);

/** pack_is_lfs() - do the first bytes say that a file is a pointer of git's large file storage */
bool pack_is_lfs(const void *bytes, size_t n);

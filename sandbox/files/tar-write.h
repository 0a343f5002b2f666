#pragma once
/*
 * tar-write: a tar archive in the pax form (POSIX.1-2001), in which the same tree always gives the same bytes: nothing
 * in it says when or by whom it was packed, and what fits the plain header has no other.
 *
 * Beside the plain header an extended one comes where it is needed: path, linkpath above 100 bytes, size from 8 GiB on,
 * mtime with its nanoseconds, SCHILY.xattr.NAME (LIBARCHIVE.xattr.NAME where NAME has a =), and hdrcharset=BINARY where
 * such a path is no UTF-8. A hole is written as the zeroes that it is read as: each reader of tar knows these, and not each the
 * forms that sparse files have.
 *
 * Syscalls: write
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"

#define TAR_BLOCK   512u
#define TAR_ROOM    (256u << 10)
#define TAR_PAX_MAX (1u << 20) /* of one extended header: libarchive takes no longer one */

typedef enum TarKind {
        TAR_FILE = '0',
        TAR_HARD_LINK = '1',
        TAR_LINK = '2',
        TAR_DIR = '5',
} TarKind;

typedef struct TarXattr { /* borrowed */
        const char *name;
        const void *value;
        size_t size;
} TarXattr;

typedef struct TarEntry { /* borrowed for the call */
        TarKind kind;
        const char *path; /* of a directory without its slash; "." is the root */
        const char *link; /* of both kinds of links */
        unsigned mode;
        uint32_t uid, gid;
        int64_t sec; /* 0 … 2^33-1 */
        uint32_t nsec;
        uint64_t size;          /* of a file */
        const TarXattr *xattrs; /* in the order of their names */
        unsigned n_xattrs;
} TarEntry;

typedef struct TarWriter {
        int fd;         /* borrowed; -EBADF: the bytes are counted and hashed only */
        Digest *digest; /* owned; NULL: nobody asked */
        uint64_t bytes; /* so far */
        char *room;     /* owned */
        size_t used;
} TarWriter;

/** tar_init() - @hashed: its SHA-256 is wanted. Returns: 0 or negative errno */
int tar_init(TarWriter *tar, int fd, bool hashed, Error *err);
/** tar_deinit() - what was not flushed is lost; fine on one that is all zeroes */
void tar_deinit(TarWriter *tar);

/** tar_entry() - its headers; a file's content follows by tar_data(), and tar_pad() */
int tar_entry(TarWriter *tar, const TarEntry *entry, Error *err);
/** tar_data() - content; NULL: that many zeroes */
int tar_data(TarWriter *tar, const void *bytes, uint64_t n, Error *err);
/** tar_pad() - behind a content of @size bytes */
int tar_pad(TarWriter *tar, uint64_t size, Error *err);
/** tar_end() - the end mark; and all is written */
int tar_end(TarWriter *tar, Error *err);
/** tar_flush() - what there is so far goes out */
int tar_flush(TarWriter *tar, Error *err);

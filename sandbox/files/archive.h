#pragma once
/*
 * archive: the stream of a tar archive, plain or compressed (gzip, bzip2, xz, zstd), by libarchive. No other
 * format is read: each is one more parser that a hostile file could aim at.
 *
 * Syscalls: read
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/owned.h"
#include "sandbox/files/report.h"

/* A compressed archive may grow to this and then a thousand times what was read: gzip cannot do more. */
#define ARCHIVE_FREE_BYTES (256ull << 20)
#define ARCHIVE_RATIO_MAX  1000u

typedef struct Archive {
        struct archive *reader; /* owned */
        char *chunk;            /* owned */
        int fd;                 /* borrowed */
        int read_errno;         /* why reading failed, 0 */
        uint64_t bytes_read;
        Report *report; /* borrowed */
} Archive;

/** archive_new() - read from @fd. Returns: 0 or negative errno (refused: no archive that is read) */
int archive_new(int fd, Report *report, Archive **ret_archive, Error *err);
/** archive_close() - release it, NULL is fine. Returns: NULL */
Archive *archive_close(Archive *archive);
DEFINE_SCOPED(Archive *, archive_close);

/**
 * archive_next() - the next entry, borrowed until the next call
 * Returns: 1; 0 at the archive's end mark; negative errno (refused: damaged, or cut short).
 */
int archive_next(Archive *archive, struct archive_entry **ret_entry, Error *err);

/**
 * archive_data() - the next piece of the entry's content, borrowed until the next call
 * Returns: 1; 0 at the entry's end; negative errno.
 */
int archive_data(Archive *archive, const void **ret_bytes, size_t *ret_n, uint64_t *ret_offset,
                 Error *err);

/** archive_drain() - read what a writer still puts behind the end mark, within reason, so that its pipe does not break */
void archive_drain(Archive *archive);

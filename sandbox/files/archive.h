#pragma once
/*
 * archive: the entries of a tar archive, by libarchive, over the bytes of a stream (stream.h). No other format is
 * read: each is one more parser that a hostile file could aim at.
 *
 * Theory of operation. Two readers of libarchive stand in a row. The first knows compressions and no format; the
 * second knows tar and no compression, so that nothing it meets can start another decoder. What it skips comes
 * through the stream all the same, and is counted there. Where libarchive would pass over a header that it finds
 * malformed, the archive is refused: tar(1) might read it in another way.
 */
#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>

#include "base/owned.h"
#include "sandbox/files/report.h"
#include "sandbox/files/stream.h"

typedef struct Archive Archive;

/** archive_new() - read from @fd, borrowed. Returns: 0 or negative errno (refused: no archive that is read) */
int archive_new(int fd, const StreamKnown *known, Report *report, Archive **ret_archive,
                Error *err);
/** archive_close() - release it, NULL is fine. Returns: NULL */
Archive *archive_close(Archive *archive);
DEFINE_SCOPED(Archive *, archive_close);

/**
 * archive_next() - the next entry, borrowed until the next call
 *
 * At the end the rest of the input is read as well: what is not zeroes there is refused, since a reader that
 * goes on (tar -i) would find other files than this one.
 *
 * Returns: 1; 0 at the archive's end mark; negative errno (refused: damaged, cut short, or going on).
 */
int archive_next(Archive *archive, struct archive_entry **ret_entry, Error *err);

/**
 * archive_data() - the next piece of the entry's content, borrowed until the next call
 * Returns: 1; 0 at the entry's end; negative errno.
 */
int archive_data(Archive *archive, const void **ret_bytes, size_t *ret_n, uint64_t *ret_offset,
                 Error *err);

/** archive_check() - at the end: is the input what was known of it. Returns: as stream_check() */
int archive_check(Archive *archive, Error *err);

/** archive_bytes_grown() - how many bytes they unpacked to */
uint64_t archive_bytes_grown(const Archive *archive);
/** archive_bytes_read() - how many bytes of the input were taken */
uint64_t archive_bytes_read(const Archive *archive);

#pragma once
/*
 * stream: the bytes of an archive, behind at most one compression (gzip, bzip2, xz, zstd), by libarchive.
 *
 * Every byte that a decoder makes passes stream_next(), also those that a reader of the archive skips, so this
 * is where it is held that a small input cannot grow without end. A compression within a compression is
 * refused: no honest archive has one, and each multiplies what a bomb is worth.
 *
 * Syscalls: read
 */
#include <archive.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/owned.h"
#include "sandbox/files/report.h"

/*
 * Any archive may grow to the first; beyond it to a hundred times what was read of it. Trees of real files
 * pack to a tenth; a hundred is what only runs of one byte reach.
 */
#define STREAM_FREE_BYTES (256ull << 20)
#define STREAM_RATIO_MAX  100u

typedef struct Stream Stream;

/* What is known of an input before it is read, and what was read before it; all zeroes: nothing. */
typedef struct StreamKnown {
        const uint8_t *digest; /* SHA-256 of the input as it is; NULL: not known */
        const uint8_t *diff;   /* SHA-256 of what it unpacks to; NULL: not known */
        const char *packing;   /* "none", "gzip", "zstd"; NULL: whatever it is */
        bool has_size;
        uint64_t size; /* of the input */
        uint64_t in;   /* of earlier inputs of the same import: bytes that were read, */
        uint64_t out;  /* and bytes that they unpacked to: bombs are counted together */
} StreamKnown;

/** stream_new() - read from @fd, borrowed. Returns: 0 or negative errno (refused: no stream that is read) */
int stream_new(int fd, const StreamKnown *known, Report *report, Stream **ret_stream, Error *err);
/** stream_free() - release it, NULL is fine. Returns: NULL */
Stream *stream_free(Stream *stream);
DEFINE_SCOPED(Stream *, stream_free);

/**
 * stream_next() - the next piece, borrowed until the next call
 * Returns: 1; 0 at the end; negative errno (refused: damaged, cut short, grown out of proportion).
 */
int stream_next(Stream *stream, const void **ret_bytes, size_t *ret_n, Error *err);

/** stream_bytes_read() - how many bytes of @fd were taken */
uint64_t stream_bytes_read(const Stream *stream);
/** stream_last_content() - one more than the offset of the last byte so far that is not zero; 0 where none is */
uint64_t stream_last_content(const Stream *stream);
/** stream_looks_like() - what the first bytes are, "a zip file"; NULL where they are nothing that is known */
const char *stream_looks_like(const Stream *stream);

/** stream_grown() - how many bytes came out of it */
uint64_t stream_grown(const Stream *stream);
/**
 * stream_check() - read the rest of the input and hold it against what was known of it
 * Call it when stream_next() has said 0. Returns: 0 or negative errno (refused: a size or a digest lies).
 */
int stream_check(Stream *stream, Error *err);

/** stream_drain() - read what @fd still has, within reason, so that the pipe of a writer does not break */
void stream_drain(Stream *stream);

/**
 * stream_fault() - refuse in libarchive's words, or give an error of the host its name
 * @reader: what failed
 * @rule:   what to say; that the input ends too early is seen here
 *
 * Returns: negative errno.
 */
int stream_fault(struct archive *reader, Report *report, RecordRule rule, Error *err);

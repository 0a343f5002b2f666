/* inflate: see inflate.h. */
#include "sandbox/files/inflate.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/owned.h"
#include "sandbox/files/archive-library.h"

#define ZLIB_HEAD 2
#define ZLIB_TAIL 4 /* Adler-32, highest byte first */

static const uint8_t gzip_head[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
static const uint8_t gzip_tail[8] = { 0 }; /* libarchive takes it off and does not look at it */

DEFINE_SCOPED(struct archive *, archive_read_free);

static uint32_t adler(const char *bytes, size_t n) {
        uint32_t a = 1, b = 0;
        size_t i;

        for (i = 0; i < n; i++) {
                a = (a + (uint8_t) bytes[i]) % 65521;
                b = (b + a) % 65521;
        }
        return b << 16 | a;
}

/* Deflate, a window of at most 32 KiB, no dictionary, and a check that makes the two bytes a multiple of 31. */
static bool is_zlib(const uint8_t *head, size_t n) {
        return n >= ZLIB_HEAD + ZLIB_TAIL && (head[0] & 0x0f) == 8 && head[0] >> 4 <= 7 &&
               (head[1] & 0x20) == 0 && (head[0] << 8 | head[1]) % 31 == 0;
}

/* One byte more than @size is asked for, so that a stream that goes on is seen. */
static int read_all(struct archive *reader, char *bytes, uint64_t size) {
        struct archive_entry *entry = NULL;
        uint64_t at = 0;
        ssize_t n;

        if (archive_read_next_header(reader, &entry) == ARCHIVE_EOF)
                return size == 0 ? 0 : -EBADMSG;
        while ((n = archive_read_data(reader, bytes + at, size + 1 - at)) > 0) {
                at += (uint64_t) n;
                if (at > size)
                        return -EBADMSG;
        }
        return n < 0 || at != size ? -EBADMSG : 0;
}

static int unpack_framed(const Buf *gzip, char *bytes, uint64_t size) {
        SCOPED(archive_read_free) struct archive *reader = NULL;
        int r = archive_library_load(NULL);

        if (r < 0)
                return r;
        reader = archive_read_new();
        if (!reader)
                return -ENOMEM;
        if (archive_read_support_filter_gzip(reader) != ARCHIVE_OK ||
            archive_read_support_format_raw(reader) != ARCHIVE_OK ||
            archive_read_support_format_empty(reader) != ARCHIVE_OK ||
            archive_read_open_memory(reader, gzip->data, gzip->len) != ARCHIVE_OK)
                return -EBADMSG;
        return read_all(reader, bytes, size);
}

int inflate_zlib(const char *packed, size_t n, uint64_t size, char **ret_bytes) {
        const uint8_t *head = (const uint8_t *) packed, *tail;
        autofree char *bytes = NULL;
        Buf gzip = BUF_EMPTY(SIZE_MAX / 2);
        int r;

        if (!is_zlib(head, n))
                return -EBADMSG;
        tail = head + n - ZLIB_TAIL;
        bytes = malloc(size + 1);
        r = bytes ? buf_append(&gzip, gzip_head, sizeof(gzip_head)) : -ENOMEM;
        if (r >= 0)
                r = buf_append(&gzip, packed + ZLIB_HEAD, n - ZLIB_HEAD);
        if (r >= 0)
                r = buf_append(&gzip, gzip_tail, sizeof(gzip_tail));
        if (r >= 0)
                r = unpack_framed(&gzip, bytes, size);
        buf_deinit(&gzip);
        if (r < 0)
                return r;
        if (adler(bytes, size) != ((uint32_t) tail[0] << 24 | (uint32_t) tail[1] << 16 |
                                   (uint32_t) tail[2] << 8 | tail[3]))
                return -EBADMSG;
        bytes[size] = 0;
        *ret_bytes = TAKE_PTR(bytes);
        return 0;
}

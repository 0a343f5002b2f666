/* stream: see stream.h. */
#include "sandbox/files/stream.h"

#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/files/archive-library.h"
#include "sandbox/files/formats.h"

#define CHUNK     (256u << 10)
#define DRAIN_MAX (64u << 20)

struct Stream {
        struct archive *reader; /* owned */
        char *chunk;            /* owned */
        int fd;                 /* borrowed */
        int read_errno;         /* why reading failed, 0 */
        bool ended;
        uint64_t in, out;
        uint64_t last_content;
        const char *looks_like; /* static */
        StreamKnown known;      /* what it points to is borrowed */
        Digest *packed;         /* owned: of the input; NULL where nothing is known of it */
        Digest *unpacked;       /* owned: of what comes out; likewise */
        Report *report;         /* borrowed */
};

/* A whole chunk where the input has one: decoders and the archive's reader then work in large pieces. */
static ssize_t take_chunk(struct archive *reader, void *userdata, const void **ret_bytes) {
        Stream *stream = userdata;
        size_t at = 0;
        ssize_t n = 1;

        while (at < CHUNK && n > 0) {
                n = read(stream->fd, stream->chunk + at, CHUNK - at);
                if (n < 0 && errno == EINTR)
                        n = 1;
                else if (n > 0)
                        at += (size_t) n;
        }
        if (n < 0) {
                stream->read_errno = errno;
                archive_set_error(reader, errno, "cannot read the input");
                return -1;
        }
        stream->in += at;
        if (stream->packed)
                digest_add(stream->packed, stream->chunk, at);
        *ret_bytes = stream->chunk;
        return (ssize_t) at;
}

static bool support(struct archive *reader) {
        return archive_read_support_format_raw(reader) == ARCHIVE_OK &&
               archive_read_support_format_empty(reader) == ARCHIVE_OK &&
               archive_read_support_filter_gzip(reader) == ARCHIVE_OK &&
               archive_read_support_filter_bzip2(reader) == ARCHIVE_OK &&
               archive_read_support_filter_xz(reader) == ARCHIVE_OK &&
               archive_read_support_filter_zstd(reader) == ARCHIVE_OK;
}

/* Words of libarchive: its own text about bytes that a stranger wrote; a record carries it as it is. */
static const char *words(struct archive *reader) {
        const char *text = archive_error_string(reader);

        return text ? text : "no reason given";
}

/* libarchive has no code for an input that stops, only words; liblzma then says that it cannot go on. */
static bool speaks_of_end(const char *text) {
        return strstr(text, "runcated") || strstr(text, "nexpected end") ||
               strstr(text, "No progress");
}

int stream_fault(struct archive *reader, Report *report, RecordRule rule, Error *err) {
        if (archive_errno(reader) == ENOMEM)
                return error_set(err, -ENOMEM, "read the archive");
        if (speaks_of_end(words(reader)))
                rule = RULE_TRUNCATED;
        return report_refuse(report, rule, "", "the archive cannot be read: %.200s", words(reader));
}

static int fault(Stream *stream, RecordRule rule, Error *err) {
        if (stream->read_errno != 0)
                return error_set(err, -stream->read_errno, "read the archive");
        return stream_fault(stream->reader, stream->report, rule, err);
}

/* A manifest says how a blob is packed: one that is packed in another way is not what it speaks of. */
static int check_packing(Stream *stream) {
        const char *name = archive_filter_name(stream->reader, 0);

        if (!stream->known.packing || (name && strcmp(name, stream->known.packing) == 0))
                return 0;
        return report_refuse(stream->report, RULE_FORMAT, "",
                             "its packing is said to be \"%s\", and is \"%.20s\"",
                             stream->known.packing, name ? name : "unknown");
}

static int start_digests(Stream *stream) {
        int r = stream->known.digest ? digest_new(&stream->packed) : 0;

        return r < 0 || !stream->known.diff ? r : digest_new(&stream->unpacked);
}

static int open_reader(Stream *stream, Error *err) {
        struct archive_entry *entry = NULL;
        int r;

        if (archive_read_open2(stream->reader, stream, NULL, take_chunk, NULL, NULL) != ARCHIVE_OK)
                return fault(stream, RULE_DAMAGED, err);
        r = archive_read_next_header(stream->reader, &entry);
        if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
                return fault(stream, RULE_DAMAGED, err);
        stream->ended = r == ARCHIVE_EOF;
        r = check_packing(stream);
        if (r < 0)
                return r;
        /* the last of the filters is the one that does nothing */
        if (archive_filter_count(stream->reader) <= 2)
                return 0;
        return report_refuse(stream->report, RULE_FORMAT, "",
                             "the archive is compressed %d times over; one compression is read",
                             archive_filter_count(stream->reader) - 1);
}

int stream_new(int fd, const StreamKnown *known, Report *report, Stream **ret_stream, Error *err) {
        SCOPED(stream_free) Stream *stream = calloc(1, sizeof(*stream));
        int r;

        if (!stream)
                return error_set(err, -ENOMEM, "read the archive");
        r = archive_library_load(err);
        if (r < 0)
                return r;
        stream->fd = fd;
        stream->report = report;
        stream->known = *known;
        stream->chunk = malloc(CHUNK);
        stream->reader = archive_read_new();
        if (!stream->chunk || !stream->reader || start_digests(stream) < 0)
                return error_set(err, -ENOMEM, "read the archive");
        if (!support(stream->reader))
                return error_say(err, -ENOTSUP,
                                 "libarchive cannot read gzip, bzip2, xz or zstd: %s",
                                 words(stream->reader));
        r = open_reader(stream, err);
        if (r < 0)
                return r;
        *ret_stream = TAKE_PTR(stream);
        return 0;
}

Stream *stream_free(Stream *stream) {
        if (stream) {
                archive_read_free(stream->reader);
                digest_free(stream->packed);
                digest_free(stream->unpacked);
                free(stream->chunk);
        }
        free(stream);
        return NULL;
}

static int check_expansion(const Stream *stream) {
        uint64_t in = stream->known.in + stream->in, out = stream->known.out + stream->out;

        if (out <= STREAM_FREE_BYTES || (out - STREAM_FREE_BYTES) / STREAM_RATIO_MAX <= in)
                return 0;
        return report_refuse(stream->report, RULE_EXPANSION, "",
                             "the archive grows to more than %u times its own size",
                             STREAM_RATIO_MAX);
}

static void look_at(Stream *stream, const char *bytes, size_t n) {
        size_t last = n;

        if (stream->out == 0)
                stream->looks_like = format_guess(bytes, n);
        while (last > 0 && bytes[last - 1] == 0)
                last--;
        if (last > 0)
                stream->last_content = stream->out + last;
        stream->out += n;
        if (stream->unpacked)
                digest_add(stream->unpacked, bytes, n);
}

int stream_next(Stream *stream, const void **ret_bytes, size_t *ret_n, Error *err) {
        la_int64_t offset = 0;
        int r = ARCHIVE_EOF;

        *ret_n = 0;
        if (!stream->ended)
                r = archive_read_data_block(stream->reader, ret_bytes, ret_n, &offset);
        if (r == ARCHIVE_EOF) {
                stream->ended = true;
                return 0;
        }
        if (r != ARCHIVE_OK)
                return fault(stream, RULE_DAMAGED, err);
        look_at(stream, *ret_bytes, *ret_n);
        r = check_expansion(stream);
        return r < 0 ? r : 1;
}

uint64_t stream_bytes_read(const Stream *stream) {
        return stream->in;
}

uint64_t stream_last_content(const Stream *stream) {
        return stream->last_content;
}

const char *stream_looks_like(const Stream *stream) {
        return stream->looks_like;
}

void stream_drain(Stream *stream) {
        uint64_t drained = 0;
        ssize_t n;

        if (stream->known.digest || stream->known.has_size) /* stream_check() reads it all */
                return;
        do {
                n = read(stream->fd, stream->chunk, CHUNK);
                if (n > 0)
                        drained += (uint64_t) n;
        } while ((n > 0 && drained < DRAIN_MAX) || (n < 0 && errno == EINTR));
}

uint64_t stream_grown(const Stream *stream) {
        return stream->out;
}

static int read_rest(Stream *stream, Error *err) {
        const void *bytes = NULL;
        ssize_t n;

        do
                n = take_chunk(stream->reader, stream, &bytes);
        while (n > 0 && (!stream->known.has_size || stream->in <= stream->known.size));
        return n < 0 ? error_set(err, -stream->read_errno, "read the input") : 0;
}

static int check_digest(Stream *stream, Digest *digest, const uint8_t *expected, const char *what) {
        char said[DIGEST_TEXT_MAX], found[DIGEST_TEXT_MAX];
        uint8_t value[DIGEST_SIZE];

        if (!digest || !expected) /* none was said, so none was counted */
                return 0;
        digest_end(digest, value);
        if (memcmp(value, expected, DIGEST_SIZE) == 0)
                return 0;
        return report_refuse(stream->report, RULE_DIGEST, "", "%s has the digest %s, not %s", what,
                             digest_format(value, found), digest_format(expected, said));
}

int stream_check(Stream *stream, Error *err) {
        const StreamKnown *known = &stream->known;
        int r = known->digest || known->has_size ? read_rest(stream, err) : 0;

        if (r >= 0 && known->has_size && stream->in != known->size)
                r = report_refuse(stream->report, RULE_DIGEST, "",
                                  "the blob is not of the %llu bytes that are said",
                                  (unsigned long long) known->size);
        if (r >= 0)
                r = check_digest(stream, stream->packed, known->digest, "the blob");
        return r < 0 ? r : check_digest(stream, stream->unpacked, known->diff, "the unpacked blob");
}

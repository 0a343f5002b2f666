/* archive: see archive.h. */
#include "sandbox/files/archive.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define BLOCK       512           /* of a tar archive */
#define PADDING_MAX (64ull << 20) /* zeroes behind the end mark */

struct Archive {
        struct archive *reader; /* owned */
        Stream *stream;         /* owned */
        Report *report;         /* borrowed */
        Error err;              /* why the stream failed, where it was the host's fault */
        int failed;             /* what stream_next() said, 0 */
};

static ssize_t take_piece(struct archive *reader, void *userdata, const void **ret_bytes) {
        Archive *archive = userdata;
        size_t n = 0;
        int r;

        do
                r = stream_next(archive->stream, ret_bytes, &n, &archive->err);
        while (r > 0 && n == 0); /* an empty piece would be the end for libarchive */
        if (r < 0) {
                archive->failed = r;
                archive_set_error(reader, -r, "the input cannot be read");
                return -1;
        }
        return (ssize_t) n;
}

static int fault(Archive *archive, RecordRule rule, Error *err) {
        const char *format = stream_looks_like(archive->stream);

        if (archive->failed) {
                if (err)
                        *err = archive->err;
                return archive->failed;
        }
        if (rule == RULE_FORMAT && format)
                return report_refuse(archive->report, rule, "",
                                     "this is %s; what is read is tar, plain or by gzip, bzip2, "
                                     "xz or zstd",
                                     format);
        return stream_fault(archive->reader, archive->report, rule, err);
}

int archive_new(int fd, const StreamKnown *known, Report *report, Archive **ret_archive,
                Error *err) {
        SCOPED(archive_close) Archive *archive = calloc(1, sizeof(*archive));
        int r;

        if (!archive)
                return error_set(err, -ENOMEM, "read the archive");
        archive->report = report;
        r = stream_new(fd, known, report, &archive->stream, err);
        if (r < 0)
                return r;
        archive->reader = archive_read_new();
        if (!archive->reader)
                return error_set(err, -ENOMEM, "read the archive");
        if (archive_read_support_format_tar(archive->reader) != ARCHIVE_OK)
                return error_say(err, -ENOTSUP, "libarchive cannot read tar");
        if (archive_read_open2(archive->reader, archive, NULL, take_piece, NULL, NULL) !=
            ARCHIVE_OK)
                return fault(archive, RULE_FORMAT, err);
        *ret_archive = TAKE_PTR(archive);
        return 0;
}

Archive *archive_close(Archive *archive) {
        if (archive) {
                archive_read_free(archive->reader);
                stream_free(archive->stream);
        }
        free(archive);
        return NULL;
}

/*
 * libarchive takes an input that simply stops between two entries for the end of the archive. A tar
 * archive ends with blocks of zeroes: where the reader stands no further than at the last header it
 * looked for, they were not there.
 */
static int check_end_mark(Archive *archive, uint64_t stands) {
        int64_t header = archive_read_header_position(archive->reader);

        if (stands >= (uint64_t) header + BLOCK)
                return 0;
        return report_refuse(archive->report, RULE_TRUNCATED, "",
                             "the archive stops without its end mark: it was cut short");
}

/* The end: its mark is there, only zeroes come behind it, and the compression is whole to its last byte. */
static int finish(Archive *archive, Error *err) {
        uint64_t stands = (uint64_t) archive_filter_bytes(archive->reader, 0), padding = 0;
        const void *bytes = NULL;
        size_t n = 0;
        int r = check_end_mark(archive, stands);

        while (r >= 0 && padding <= PADDING_MAX &&
               (r = stream_next(archive->stream, &bytes, &n, err)) > 0)
                padding += n;
        if (r < 0)
                return r;
        if (stream_last_content(archive->stream) > stands || padding > PADDING_MAX)
                return report_refuse(archive->report, RULE_BEHIND_END, "",
                                     "the archive goes on behind its end mark: it hides something, "
                                     "or is more than one archive");
        stream_drain(archive->stream);
        return 0;
}

/*
 * A warning is one of two things: a name that the locale cannot show, which does no harm, as names are taken
 * as bytes; or a part of a header that was passed over.
 */
static bool is_about_names(struct archive *reader) {
        const char *text = archive_error_string(reader);

        return !text || strstr(text, "convert") || strstr(text, "charset");
}

int archive_next(Archive *archive, struct archive_entry **ret_entry, Error *err) {
        int r = archive_read_next_header(archive->reader, ret_entry);

        if (r == ARCHIVE_EOF)
                return finish(archive, err);
        if (r == ARCHIVE_OK || (r == ARCHIVE_WARN && is_about_names(archive->reader)))
                return 1;
        return fault(archive, archive_format(archive->reader) == 0 ? RULE_FORMAT : RULE_DAMAGED,
                     err);
}

int archive_data(Archive *archive, const void **ret_bytes, size_t *ret_n, uint64_t *ret_offset,
                 Error *err) {
        la_int64_t offset = 0;
        int r = archive_read_data_block(archive->reader, ret_bytes, ret_n, &offset);

        if (r == ARCHIVE_EOF)
                return 0;
        if (r != ARCHIVE_OK)
                return fault(archive, RULE_DAMAGED, err);
        if (offset < 0)
                return report_refuse(archive->report, RULE_DAMAGED, "",
                                     "a piece of a file lies before its start");
        *ret_offset = (uint64_t) offset;
        return 1;
}

uint64_t archive_bytes_read(const Archive *archive) {
        return stream_bytes_read(archive->stream);
}

int archive_check(Archive *archive, Error *err) {
        return stream_check(archive->stream, err);
}

uint64_t archive_bytes_grown(const Archive *archive) {
        return stream_grown(archive->stream);
}

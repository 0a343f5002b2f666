/* archive: see archive.h. */
#include "sandbox/files/archive.h"

#include <errno.h>
#include <string.h>

#define CHUNK     (256u << 10)
#define DRAIN_MAX (64u << 20)
#define BLOCK     512 /* of a tar archive */

static ssize_t take_chunk(struct archive *reader, void *userdata, const void **ret_bytes) {
        Archive *archive = userdata;
        ssize_t n;

        do
                n = read(archive->fd, archive->chunk, CHUNK);
        while (n < 0 && errno == EINTR);
        if (n < 0) {
                archive->read_errno = errno;
                archive_set_error(reader, errno, "cannot read the input");
                return -1;
        }
        archive->bytes_read += (uint64_t) n;
        *ret_bytes = archive->chunk;
        return n;
}

static bool support(struct archive *reader) {
        return archive_read_support_format_tar(reader) == ARCHIVE_OK &&
               archive_read_support_filter_gzip(reader) == ARCHIVE_OK &&
               archive_read_support_filter_bzip2(reader) == ARCHIVE_OK &&
               archive_read_support_filter_xz(reader) == ARCHIVE_OK &&
               archive_read_support_filter_zstd(reader) == ARCHIVE_OK;
}

/* Words of libarchive: its own text about bytes that a stranger wrote; a record carries it as it is. */
static const char *words(Archive *archive) {
        const char *text = archive_error_string(archive->reader);

        return text ? text : "no reason given";
}

/* libarchive has no code for an input that stops, only words; liblzma then says that it cannot go on. */
static bool speaks_of_end(const char *text) {
        return strstr(text, "runcated") || strstr(text, "nexpected end") ||
               strstr(text, "No progress");
}

static int fault(Archive *archive, RecordRule rule, const char *path, Error *err) {
        if (archive->read_errno != 0)
                return error_set(err, -archive->read_errno, "read the archive");
        if (archive_errno(archive->reader) == ENOMEM)
                return error_set(err, -ENOMEM, "read the archive");
        if (speaks_of_end(words(archive)))
                rule = RULE_TRUNCATED;
        return report_refuse(archive->report, rule, path, "the archive cannot be read: %.200s",
                             words(archive));
}

int archive_new(int fd, Report *report, Archive **ret_archive, Error *err) {
        SCOPED(archive_close) Archive *archive = calloc(1, sizeof(*archive));

        if (!archive)
                return error_set(err, -ENOMEM, "read the archive");
        archive->fd = fd;
        archive->report = report;
        archive->chunk = malloc(CHUNK);
        archive->reader = archive_read_new();
        if (!archive->chunk || !archive->reader)
                return error_set(err, -ENOMEM, "read the archive");
        if (!support(archive->reader))
                return error_say(err, -ENOTSUP,
                                 "libarchive cannot read tar, gzip, bzip2, xz or zstd: %s",
                                 words(archive));
        if (archive_read_open2(archive->reader, archive, NULL, take_chunk, NULL, NULL) !=
            ARCHIVE_OK)
                return fault(archive, RULE_FORMAT, "", err);
        *ret_archive = TAKE_PTR(archive);
        return 0;
}

Archive *archive_close(Archive *archive) {
        if (archive) {
                archive_read_free(archive->reader);
                free(archive->chunk);
        }
        free(archive);
        return NULL;
}

/*
 * libarchive takes an input that simply stops between two entries for the end of the archive. A tar
 * archive ends with blocks of zeroes: where the reader stands no further than at the last header it
 * looked for, they were not there.
 */
static int check_end(Archive *archive) {
        int64_t header = archive_read_header_position(archive->reader);
        int64_t stands = archive_filter_bytes(archive->reader, 0);

        if (stands >= header + BLOCK)
                return 0;
        return report_refuse(archive->report, RULE_TRUNCATED, "",
                             "the archive stops without its end mark: it was cut short");
}

static int check_expansion(Archive *archive) {
        uint64_t out = (uint64_t) archive_filter_bytes(archive->reader, 0);

        if (out <= ARCHIVE_FREE_BYTES ||
            (out - ARCHIVE_FREE_BYTES) / ARCHIVE_RATIO_MAX <= archive->bytes_read)
                return 0;
        return report_refuse(archive->report, RULE_EXPANSION, "",
                             "the archive grows to more than %u times its own size",
                             ARCHIVE_RATIO_MAX);
}

int archive_next(Archive *archive, struct archive_entry **ret_entry, Error *err) {
        int r = archive_read_next_header(archive->reader, ret_entry);

        if (r == ARCHIVE_EOF)
                return check_end(archive);
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
                return fault(archive,
                             archive_format(archive->reader) == 0 ? RULE_FORMAT : RULE_DAMAGED, "",
                             err);
        r = check_expansion(archive);
        return r < 0 ? r : 1;
}

int archive_data(Archive *archive, const void **ret_bytes, size_t *ret_n, uint64_t *ret_offset,
                 Error *err) {
        la_int64_t offset = 0;
        int r = archive_read_data_block(archive->reader, ret_bytes, ret_n, &offset);

        if (r == ARCHIVE_EOF)
                return 0;
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
                return fault(archive, RULE_DAMAGED, "", err);
        if (offset < 0)
                return report_refuse(archive->report, RULE_DAMAGED, "",
                                     "a piece of a file lies before its start");
        *ret_offset = (uint64_t) offset;
        r = check_expansion(archive);
        return r < 0 ? r : 1;
}

void archive_drain(Archive *archive) {
        uint64_t drained = 0;
        ssize_t n;

        do {
                n = read(archive->fd, archive->chunk, CHUNK);
                if (n > 0)
                        drained += (uint64_t) n;
        } while ((n > 0 && drained < DRAIN_MAX) || (n < 0 && errno == EINTR));
}

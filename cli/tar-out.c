/*
 * tar-out: see tar-out.h. A header comes before its file's bytes, so size, mode and time are what the jail's side saw when
 * it opened the file; where that became shorter meanwhile, or could not be read, zeros take the place of what is missing.
 */
#include "cli/tar-out.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned.h"
#include "cli/archive-library.h"
#include "cli/terminal.h"

#define PATH_ROOM  ((COPY_DEPTH_MAX + 3) * (COPY_NAME_MAX + 1))
#define ZEROS_MAX  65536u
#define BLOCK_LAST 512 /* no more zeros at the end than must be */

typedef struct Writer {
        const TarOut *how;
        struct archive *archive;         /* owned, as the next */
        struct archive_entry *entry;     /* reused */
        char path[PATH_ROOM];            /* of the directory that is open */
        size_t ends[COPY_DEPTH_MAX + 3]; /* where the paths above it end */
        unsigned depth;
        size_t n;
        bool in_file;
        uint64_t at, size, bytes; /* of the file at hand; of all */
} Writer;

static int failed(const Writer *writer, Error *err) {
        const char *why = archive_error_string(writer->archive);

        return error_say(err, -EIO, "write the archive: %s", why ? why : "it failed");
}

/* Goes below the path; names are checked, and no more of them than there is room for */
static void push(Writer *writer, const char *name) {
        writer->ends[writer->depth++] = writer->n;
        if (writer->n > 0)
                writer->path[writer->n++] = '/';
        writer->n += (size_t) (stpcpy(writer->path + writer->n, name) - writer->path - writer->n);
}

static void pop(Writer *writer) {
        writer->n = writer->ends[--writer->depth];
        writer->path[writer->n] = 0;
}

static const char *name_of(const Writer *writer, const char *name) {
        return writer->depth > 0 ? name : writer->how->name[0] ? writer->how->name : ".";
}

static void begin(Writer *writer, mode_t type, const CopyRecord *record) {
        archive_entry_clear(writer->entry);
        archive_entry_set_pathname(writer->entry, writer->path);
        archive_entry_set_mode(writer->entry, type | (record->mode & 0777));
        archive_entry_set_uid(writer->entry, getuid());
        archive_entry_set_gid(writer->entry, getgid());
        archive_entry_set_mtime(writer->entry, record->mtime,
                                record->mtime_nsec < 1000000000u ? (long) record->mtime_nsec : 0);
}

/* ARCHIVE_WARN: a name that is no UTF-8 was written as bytes, which is what we want */
static int write_header(Writer *writer, Error *err) {
        return archive_write_header(writer->archive, writer->entry) < ARCHIVE_WARN
                       ? failed(writer, err)
                       : 0;
}

static int take_dir(void *userdata, const char *name, const CopyRecord *record, Error *err) {
        Writer *writer = userdata;

        push(writer, name_of(writer, name));
        begin(writer, S_IFDIR, record);
        return write_header(writer, err);
}

static int take_link(void *userdata, const char *name, const char *target, const CopyRecord *record,
                     Error *err) {
        Writer *writer = userdata;
        CopyRecord of_link = *record;
        int r;

        of_link.mode = 0777;
        push(writer, name_of(writer, name));
        begin(writer, S_IFLNK, &of_link);
        archive_entry_set_symlink(writer->entry, target);
        r = write_header(writer, err);
        pop(writer);
        return r;
}

static int take_file(void *userdata, const char *name, const CopyRecord *record, Error *err) {
        Writer *writer = userdata;

        if (record->at > writer->how->max_bytes ||
            writer->bytes > writer->how->max_bytes - record->at)
                return error_say(err, -EFBIG, "there are more than %" PRIu64 " bytes in it",
                                 writer->how->max_bytes);
        writer->bytes += record->at;
        writer->size = record->at;
        writer->at = 0;
        writer->in_file = true;
        push(writer, name_of(writer, name));
        begin(writer, S_IFREG, record);
        archive_entry_set_size(writer->entry, (la_int64_t) record->at);
        return write_header(writer, err);
}

static int write_bytes(Writer *writer, const void *bytes, size_t n, Error *err) {
        writer->at += n;
        return n > 0 && archive_write_data(writer->archive, bytes, n) != (la_ssize_t) n
                       ? failed(writer, err)
                       : 0;
}

static int write_zeros(Writer *writer, uint64_t end, Error *err) {
        static const char zeros[ZEROS_MAX];
        int r = 0;

        while (r == 0 && writer->at < end) {
                uint64_t left = end - writer->at;

                r = write_bytes(writer, zeros, left < ZEROS_MAX ? (size_t) left : ZEROS_MAX, err);
        }
        return r;
}

static int take_data(void *userdata, uint64_t at, const void *bytes, size_t n, Error *err) {
        Writer *writer = userdata;
        int r;

        if (at > writer->size || n > writer->size - at)
                return error_say(err, -EBADMSG, "%.200s is larger than it was said to be",
                                 writer->path);
        r = write_zeros(writer, at, err);
        return r < 0 ? r : write_bytes(writer, bytes, n, err);
}

static void say_padded(const Writer *writer, int code) {
        (*writer->how->ret_padded)++;
        if (code < 0)
                terminal_say("%s could not be read to its end (%s): the archive has zeros there",
                             writer->path, strerror(-code));
        else
                terminal_say("%s became shorter while it was read: the archive has zeros there",
                             writer->path);
}

static int end_file(void *userdata, const CopyRecord *end, Error *err) {
        Writer *writer = userdata;
        int r = write_zeros(writer, writer->size, err);

        if (r == 0 && (end->code < 0 || end->at < writer->size))
                say_padded(writer, end->code);
        writer->in_file = false;
        pop(writer);
        return r;
}

/* Of a file that is begun already the end says it: it is not left out */
static void skipped(const char *name, int code, void *userdata) {
        const Writer *writer = userdata;

        if (!writer->in_file && writer->how->skipped)
                writer->how->skipped(name, code, writer->how->userdata);
}

static int end_dir(void *userdata, const CopyRecord *end, Error *err) {
        (void) end;
        (void) err;
        pop(userdata);
        return 0;
}

static const CopySink archived = { .dir = take_dir,
                                   .file = take_file,
                                   .link = take_link,
                                   .data = take_data,
                                   .end_file = end_file,
                                   .end_dir = end_dir };

static int write_all(Writer *writer, Error *err) {
        const CopyRead read = { .from = writer->how->from,
                                .max_bytes = writer->how->max_bytes,
                                .sink = &archived,
                                .sink_userdata = writer,
                                .skipped = skipped,
                                .userdata = writer };
        CopyStream *stream = NULL;
        int r = copy_stream_new(&read, &stream, err);

        if (r == 0 &&
            (archive_write_set_format_pax_restricted(writer->archive) != ARCHIVE_OK ||
             archive_write_set_bytes_in_last_block(writer->archive, BLOCK_LAST) != ARCHIVE_OK ||
             archive_write_open_fd(writer->archive, writer->how->to) != ARCHIVE_OK))
                r = failed(writer, err);
        if (r == 0)
                r = copy_stream_read(stream, err);
        if (r == 0 && archive_write_close(writer->archive) != ARCHIVE_OK)
                r = failed(writer, err);
        (void) copy_stream_free(stream);
        return r;
}

int tar_out(const TarOut *how, Error *err) {
        int r = archive_library_load(err);
        autofree Writer *writer = r < 0 ? NULL : calloc(1, sizeof(Writer));

        if (r < 0)
                return r;
        if (!writer)
                return error_set(err, -ENOMEM, "write an archive");
        archive_library_use_utf8();
        writer->how = how;
        writer->archive = archive_write_new();
        writer->entry = archive_entry_new();
        r = writer->archive && writer->entry ? write_all(writer, err)
                                             : error_set(err, -ENOMEM, "write an archive");
        archive_entry_free(writer->entry);
        if (r < 0 && writer->archive) /* an end would make it look whole */
                (void) archive_write_fail(writer->archive);
        (void) archive_write_free(writer->archive);
        return r;
}

/*
 * tar-in: see tar-in.h. An archive is a list of paths, the stream is nested: between two entries the directories that
 * they do not share are left and gone into. What the archive says of a directory is passed on when it is left.
 */
#include "cli/tar-in.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy-place.h"
#include "base/owned.h"
#include "cli/archive-library.h"

#define READ_BYTES 65536
#define TAR_BLOCK  512

typedef struct Directory { /* that is open */
        char name[COPY_NAME_MAX + 1];
        bool is_told; /* the archive has an entry of it */
        CopyRecord end;
} Directory;

typedef struct Reader {
        struct archive *archive; /* owned */
        int from, to;
        Directory open[COPY_DEPTH_MAX];
        unsigned depth;
        char names[COPY_DEPTH_MAX + 1][COPY_NAME_MAX + 1]; /* of the entry at hand */
        unsigned n_names;
        CopySkippedFn skipped;
        void *userdata;
        Error *err;
} Reader;

static int broken(const Reader *reader) {
        const char *why = archive_error_string(reader->archive);

        return error_say(reader->err, -EBADMSG, "read the archive: %s",
                         why ? why : "it is no tar archive");
}

/* Of a header or a block. One that is damaged is for libarchive one that could be tried again (ARCHIVE_RETRY) */
static bool is_read(int got) {
        return got == ARCHIVE_OK || got == ARCHIVE_WARN;
}

static int emit(const Reader *reader, CopyRecord record, const char *name, const void *bytes) {
        return copy_emit(reader->to, &record, name, bytes, reader->err);
}

/* ---- names ---------------------------------------------------------------------------------------- */

/* The names of a path, less "." and slashes too many */
static int split(Reader *reader, const char *path) {
        const char *at = path;

        for (reader->n_names = 0; *at; at += *at == '/') {
                size_t n = strcspn(at, "/");

                if (n > 0 && !(n == 1 && *at == '.')) {
                        if (!copy_name_is_valid(at, n))
                                return error_say(reader->err, -EINVAL,
                                                 "%.200s: a name that leads up, or is too long; "
                                                 "nothing after it was copied",
                                                 path);
                        if (reader->n_names > COPY_DEPTH_MAX - 1)
                                return error_say(reader->err, -ELOOP, "%.200s lies too deep", path);
                        memcpy(reader->names[reader->n_names], at, n);
                        reader->names[reader->n_names++][n] = 0;
                }
                at += n;
        }
        return 0;
}

/* The same as one path, into @path of COPY_TARGET_MAX + 1. Returns: its length, 0: none that serves */
static size_t join(const Reader *reader, char *path) {
        size_t n = 0;

        for (unsigned i = 0; i < reader->n_names; i++) {
                size_t more = strlen(reader->names[i]);

                if (n + more + 1 > COPY_TARGET_MAX)
                        return 0;
                if (n > 0)
                        path[n++] = '/';
                memcpy(path + n, reader->names[i], more + 1);
                n += more;
        }
        return n;
}

/* ---- directories ---------------------------------------------------------------------------------- */

static int leave(Reader *reader) {
        const Directory *directory = &reader->open[--reader->depth];

        return directory->is_told ? emit(reader, directory->end, NULL, NULL)
                                  : emit(reader, (CopyRecord){ .kind = COPY_LEAVE }, NULL, NULL);
}

/* Goes to the directory of the first @n names */
static int go_to(Reader *reader, unsigned n) {
        unsigned shared = 0;
        int r = 0;

        while (shared < n && shared < reader->depth &&
               strcmp(reader->open[shared].name, reader->names[shared]) == 0)
                shared++;
        while (r == 0 && reader->depth > shared)
                r = leave(reader);
        while (r == 0 && reader->depth < n) {
                Directory *directory = &reader->open[reader->depth];

                memcpy(directory->name, reader->names[reader->depth], sizeof(directory->name));
                directory->is_told = false;
                r = emit(reader, (CopyRecord){ .kind = COPY_DIR }, directory->name, NULL);
                reader->depth++;
        }
        return r;
}

/* ---- entries -------------------------------------------------------------------------------------- */

static CopyRecord record_of(CopyKind kind, struct archive_entry *entry) {
        return (CopyRecord){ .kind = kind,
                             .mode = archive_entry_perm(entry) & 0777,
                             .mtime = archive_entry_mtime(entry),
                             .mtime_nsec = (uint32_t) archive_entry_mtime_nsec(entry) };
}

/* One block of a file, which may be larger than a record */
static int pass_block(const Reader *reader, const char *bytes, size_t n, uint64_t at) {
        int r = 0;

        while (r == 0 && n > 0) {
                uint32_t part = n < COPY_CHUNK_MAX ? (uint32_t) n : COPY_CHUNK_MAX;

                r = emit(reader, (CopyRecord){ .kind = COPY_DATA, .bytes = part, .at = at }, NULL,
                         bytes);
                bytes += part;
                at += part;
                n -= part;
        }
        return r;
}

static int pass_file(Reader *reader, struct archive_entry *entry, const char *name) {
        CopyRecord end = record_of(COPY_END, entry), begin = end;
        la_int64_t at = 0;
        const void *bytes;
        size_t n;
        int r;

        begin.kind = COPY_FILE;
        begin.at = end.at = (uint64_t) archive_entry_size(entry);
        r = emit(reader, begin, name, NULL);
        while (r == 0) {
                int got = archive_read_data_block(reader->archive, &bytes, &n, &at);

                if (got == ARCHIVE_EOF)
                        return emit(reader, end, NULL, NULL);
                if (!is_read(got))
                        return broken(reader);
                r = pass_block(reader, bytes, n, (uint64_t) at);
        }
        return r;
}

static int pass_link(Reader *reader, struct archive_entry *entry, const char *name) {
        CopyRecord record = record_of(COPY_LINK, entry);
        const char *target = archive_entry_symlink(entry);
        size_t n = target ? strlen(target) : 0;

        if (n == 0 || n > COPY_TARGET_MAX)
                return error_say(reader->err, -EBADMSG, "%s: a link that leads nowhere", name);
        record.bytes = (uint32_t) n;
        return emit(reader, record, name, target);
}

/* Another name of a file; both paths are of the archive */
static int pass_same(Reader *reader, const char *first, const char *path) {
        char joined[COPY_TARGET_MAX + 1];
        CopyRecord record = { .kind = COPY_SAME };
        int r = split(reader, first);

        record.bytes = r == 0 ? (uint32_t) join(reader, joined) : 0;
        if (r == 0 && record.bytes == 0)
                return error_say(reader->err, -EBADMSG, "%.200s: another name of nothing", path);
        if (r == 0)
                r = split(reader, path);
        return r < 0 ? r : emit(reader, record, reader->names[reader->n_names - 1], joined);
}

static int pass_dir(Reader *reader, struct archive_entry *entry) {
        Directory *directory;
        int r = go_to(reader, reader->n_names);

        if (r < 0)
                return r;
        directory = &reader->open[reader->depth - 1];
        directory->is_told = true;
        directory->end = record_of(COPY_END, entry);
        return 0;
}

static int pass_entry(Reader *reader, struct archive_entry *entry) {
        const char *path = archive_entry_pathname(entry), *first = archive_entry_hardlink(entry);
        mode_t type = archive_entry_filetype(entry);
        const char *name;
        int r;

        if (!path)
                return broken(reader);
        r = split(reader, path);
        if (r < 0 || reader->n_names == 0) /* the place itself, which stays as it is */
                return r;
        if (!first && type == S_IFDIR)
                return pass_dir(reader, entry);
        name = reader->names[reader->n_names - 1];
        r = go_to(reader, reader->n_names - 1);
        if (r < 0)
                return r;
        if (first)
                return pass_same(reader, first, path);
        if (type == S_IFREG)
                return pass_file(reader, entry, name);
        if (type == S_IFLNK)
                return pass_link(reader, entry, name);
        if (reader->skipped)
                reader->skipped(path, -ENOTSUP, reader->userdata);
        return 0;
}

/* ---- all of it ------------------------------------------------------------------------------------ */

static int open_archive(Reader *reader) {
        struct archive *archive = reader->archive;

        /* WARN: by a program beside, which is not asked for */
        if (archive_read_support_format_tar(archive) < ARCHIVE_WARN ||
            archive_read_support_filter_gzip(archive) < ARCHIVE_WARN ||
            archive_read_support_filter_bzip2(archive) < ARCHIVE_WARN ||
            archive_read_support_filter_xz(archive) < ARCHIVE_WARN ||
            archive_read_support_filter_zstd(archive) < ARCHIVE_WARN ||
            archive_read_open_fd(archive, reader->from, READ_BYTES) != ARCHIVE_OK)
                return broken(reader);
        return 0;
}

/*
 * For libarchive an input that just stops between two entries has ended; so does one whose writer failed. The mark of the
 * end are blocks of zeroes: where they were there, more was read than up to where the last header was looked for.
 */
static int check_end_mark(const Reader *reader) {
        la_int64_t header = archive_read_header_position(reader->archive);

        if (archive_filter_bytes(reader->archive, 0) >= header + TAR_BLOCK)
                return 0;
        return error_say(reader->err, -EBADMSG,
                         "read the archive: it stops without its end mark: it was cut short");
}

/* Whoever writes the archive may go on behind its end mark, and is not to be told that nobody reads */
static void read_rest(const Reader *reader) {
        char rest[4096];
        ssize_t n;

        do
                n = read(reader->from, rest, sizeof(rest));
        while (n > 0 || (n < 0 && errno == EINTR));
}

static int pass_all(Reader *reader) {
        struct archive_entry *entry;
        int r = open_archive(reader), got;

        if (r == 0)
                r = emit(reader, (CopyRecord){ .kind = COPY_DIR }, NULL, NULL);
        while (r == 0) {
                got = archive_read_next_header(reader->archive, &entry);
                if (got == ARCHIVE_EOF)
                        break;
                r = is_read(got) ? pass_entry(reader, entry) : broken(reader);
        }
        if (r == 0)
                r = check_end_mark(reader);
        while (r == 0 && reader->depth > 0)
                r = leave(reader);
        if (r == 0)
                r = emit(reader, (CopyRecord){ .kind = COPY_LEAVE }, NULL, NULL);
        if (r == 0)
                r = emit(reader, (CopyRecord){ .kind = COPY_DONE }, NULL, NULL);
        if (r == 0)
                read_rest(reader);
        return r;
}

int tar_in(int from, int to, CopySkippedFn skipped, void *userdata, Error *err) {
        int r = archive_library_load(err);
        autofree Reader *reader = r < 0 ? NULL : calloc(1, sizeof(Reader));

        if (r < 0)
                return r;
        if (!reader)
                return error_set(err, -ENOMEM, "read an archive");
        archive_library_use_utf8();
        *reader = (Reader){
                .from = from, .to = to, .skipped = skipped, .userdata = userdata, .err = err
        };
        reader->archive = archive_read_new();
        r = reader->archive ? pass_all(reader) : error_set(err, -ENOMEM, "read an archive");
        (void) archive_read_free(reader->archive);
        return r;
}

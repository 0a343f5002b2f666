/*
 * copy-stream: see copy-stream.h. One record after the other; of the directories that are open it knows the names.
 */
#include "base/copy-stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/copy-place.h"
#include "base/owned.h"

#define CODE_MAX 4095 /* of the kernel: no larger errno */

struct CopyStream {
        CopyRead how;
        char names[COPY_DEPTH_MAX + 2]
                  [COPY_NAME_MAX + 1]; /* of the directories that are open; [1] has none */
        unsigned depth;
        char name[COPY_NAME_MAX + 1]; /* of the entry at hand */
        bool in_file;
        uint64_t file_end; /* where its next bytes may begin */
        uint64_t bytes, entries, skipped;
        bool complete; /* the entry that the stream is about has ended */
        char chunk[COPY_CHUNK_MAX];
        char target[COPY_TARGET_MAX + 1];
        Error *err;
};

static int corrupt(const CopyStream *stream, const char *what) {
        return error_say(stream->err, -EBADMSG, "the copy is no such stream: %s", what);
}

static int read_all(const CopyStream *stream, void *bytes, size_t n) {
        char *at = bytes;

        while (n > 0) {
                ssize_t got = read(stream->how.from, at, n);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return error_set(stream->err, -errno, "read what is copied");
                if (got == 0)
                        return error_say(stream->err, -ECONNABORTED,
                                         "the copy ended before it was whole");
                at += got;
                n -= (size_t) got;
        }
        return 0;
}

/* ---- names ---------------------------------------------------------------------------------------- */

const char *copy_stream_path(const CopyStream *stream, const char *name,
                             char path[COPY_PATH_SHOWN_MAX]) {
        size_t n = 0;

        path[0] = 0;
        for (unsigned i = 2; i <= stream->depth && n < COPY_PATH_SHOWN_MAX; i++)
                n += (size_t) snprintf(path + n, COPY_PATH_SHOWN_MAX - n, "%s/", stream->names[i]);
        if (n < COPY_PATH_SHOWN_MAX)
                (void) snprintf(path + n, COPY_PATH_SHOWN_MAX - n, "%s", name);
        return path;
}

static void note_skipped(CopyStream *stream, int code) {
        char path[COPY_PATH_SHOWN_MAX];

        stream->skipped++;
        if (stream->how.skipped)
                stream->how.skipped(copy_stream_path(stream, stream->name, path), code,
                                    stream->how.userdata);
}

/* The name of an entry; the first one has none */
static int take_name(CopyStream *stream, const CopyRecord *record) {
        int r;

        if (stream->in_file || stream->complete)
                return corrupt(stream, "an entry where none can be");
        if (++stream->entries > COPY_ENTRIES_MAX)
                return error_say(stream->err, -E2BIG,
                                 "there are more than %llu files and directories in it",
                                 COPY_ENTRIES_MAX);
        if (record->name > COPY_NAME_MAX || (record->name == 0) != (stream->depth == 0))
                return corrupt(stream, "a name of a wrong length");
        r = read_all(stream, stream->name, record->name);
        if (r < 0)
                return r;
        stream->name[record->name] = 0;
        if (stream->depth > 0 && !copy_name_is_valid(stream->name, record->name))
                return corrupt(stream, "a name that is none");
        return 0;
}

/* Name and target */
static int take_target(CopyStream *stream, const CopyRecord *record) {
        int r = take_name(stream, record);

        if (r == 0 && (record->bytes == 0 || record->bytes > COPY_TARGET_MAX))
                return corrupt(stream, "a link of a wrong length");
        if (r == 0)
                r = read_all(stream, stream->target, record->bytes);
        if (r < 0)
                return r;
        if (memchr(stream->target, 0, record->bytes))
                return corrupt(stream, "a link that is none");
        stream->target[record->bytes] = 0;
        return 0;
}

/* ---- entries -------------------------------------------------------------------------------------- */

static int take_dir(CopyStream *stream, const CopyRecord *record) {
        int r;

        if (stream->depth > COPY_DEPTH_MAX)
                return corrupt(stream, "directories that lie too deep");
        r = take_name(stream, record);
        if (r == 0)
                r = stream->how.sink->dir(stream->how.sink_userdata, stream->name, record,
                                          stream->err);
        if (r < 0)
                return r;
        memcpy(stream->names[++stream->depth], stream->name, sizeof(stream->name));
        return 0;
}

static int take_file(CopyStream *stream, const CopyRecord *record) {
        int r = take_name(stream, record);

        if (r == 0 && record->at > INT64_MAX)
                return corrupt(stream, "a file of a wrong size");
        if (r == 0)
                r = stream->how.sink->file(stream->how.sink_userdata, stream->name, record,
                                           stream->err);
        stream->in_file = r == 0;
        stream->file_end = 0;
        return r;
}

static int take_link(CopyStream *stream, const CopyRecord *record) {
        int r = take_target(stream, record);

        if (r == 0)
                r = stream->how.sink->link(stream->how.sink_userdata, stream->name, stream->target,
                                           record, stream->err);
        stream->complete = stream->depth == 0;
        return r;
}

static int take_same(CopyStream *stream, const CopyRecord *record) {
        int r;

        if (!stream->how.sink->same || stream->depth == 0)
                return corrupt(stream, "another name where there is none");
        r = take_target(stream, record);
        return r < 0 ? r
                     : stream->how.sink->same(stream->how.sink_userdata, stream->name,
                                              stream->target, stream->err);
}

static int take_data(CopyStream *stream, const CopyRecord *record) {
        int r;

        if (!stream->in_file || record->bytes > COPY_CHUNK_MAX || record->at < stream->file_end ||
            record->at > INT64_MAX - COPY_CHUNK_MAX)
                return corrupt(stream, "content where none can be");
        stream->bytes += record->bytes;
        if (stream->bytes > stream->how.max_bytes)
                return error_say(stream->err, -EFBIG, "there are more than %" PRIu64 " bytes in it",
                                 stream->how.max_bytes);
        r = read_all(stream, stream->chunk, record->bytes);
        stream->file_end = record->at + record->bytes;
        return r < 0 ? r
                     : stream->how.sink->data(stream->how.sink_userdata, record->at, stream->chunk,
                                              record->bytes, stream->err);
}

static int end_file(CopyStream *stream, const CopyRecord *record) {
        if (record->at < stream->file_end || record->at > INT64_MAX || record->code < -CODE_MAX ||
            record->code > 0)
                return corrupt(stream, "a file of a wrong size");
        stream->in_file = false;
        stream->complete = stream->depth == 0;
        if (record->code < 0) {
                note_skipped(stream, record->code);
                if (stream->complete)
                        return error_set(stream->err, record->code, "read it to its end");
        }
        return stream->how.sink->end_file(stream->how.sink_userdata, record, stream->err);
}

static int take_end(CopyStream *stream, const CopyRecord *record) {
        int r;

        if (stream->in_file && record->kind == COPY_END)
                return end_file(stream, record);
        if (stream->in_file || stream->depth == 0 ||
            (record->kind == COPY_LEAVE && !stream->how.sink->same))
                return corrupt(stream, "an end of nothing");
        r = stream->how.sink->end_dir(stream->how.sink_userdata, record, stream->err);
        stream->complete = --stream->depth == 0;
        return r;
}

static int take_skipped(CopyStream *stream, const CopyRecord *record) {
        int r;

        if (stream->depth == 0 || record->code >= 0 || record->code < -CODE_MAX)
                return corrupt(stream, "something left out where nothing can be");
        r = take_name(stream, record);
        if (r == 0)
                note_skipped(stream, record->code);
        return r;
}

/* ---- all of it ------------------------------------------------------------------------------------ */

static int (*const takers[_COPY_KIND_MAX])(CopyStream *stream, const CopyRecord *record) = {
        [COPY_DIR] = take_dir,   [COPY_FILE] = take_file, [COPY_LINK] = take_link,
        [COPY_DATA] = take_data, [COPY_END] = take_end,   [COPY_SKIPPED] = take_skipped,
        [COPY_LEAVE] = take_end, [COPY_SAME] = take_same,
};

int copy_stream_read(CopyStream *stream, Error *err) {
        CopyRecord record;

        stream->err = err;
        for (;;) {
                int r = read_all(stream, &record, sizeof(record));

                if (r == 0 && record.kind == COPY_DONE)
                        return stream->complete ? 0 : corrupt(stream, "it ends too early");
                if (r == 0 && (record.kind >= _COPY_KIND_MAX || !takers[record.kind]))
                        return corrupt(stream, "a record that nobody knows");
                if (r == 0)
                        r = takers[record.kind](stream, &record);
                if (r < 0)
                        return r;
        }
}

int copy_stream_new(const CopyRead *how, CopyStream **ret, Error *err) {
        CopyStream *stream = calloc(1, sizeof(CopyStream));

        if (!stream)
                return error_set(err, -ENOMEM, "take a copy");
        stream->how = *how;
        *ret = stream;
        return 0;
}

uint64_t copy_stream_skipped(const CopyStream *stream) {
        return stream->skipped;
}

CopyStream *copy_stream_free(CopyStream *stream) {
        free(stream);
        return NULL;
}

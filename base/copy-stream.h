#pragma once
/*
 * copy-stream: reads the stream of base/copy.h and checks it. What it says goes to a sink, one call an entry, so that
 * a sink sees single names that lead nowhere else, in an order that makes sense, within all bounds.
 */
#include <stddef.h>

#include "base/copy-send.h"

#define COPY_PATH_SHOWN_MAX 4096

typedef struct CopyStream CopyStream;

/* Each returns 0 or negative errno with its reason, which ends the reading. The first entry has the name "". */
typedef struct CopySink {
        int (*dir)(void *userdata, const char *name, const CopyRecord *record, Error *err);
        int (*file)(void *userdata, const char *name, const CopyRecord *record, Error *err);
        int (*link)(void *userdata, const char *name, const char *target, const CopyRecord *record,
                    Error *err);
        /* another name of what came before, by its path; NULL: there is no such thing here, nor COPY_LEAVE */
        int (*same)(void *userdata, const char *name, char *path, Error *err);
        int (*data)(void *userdata, uint64_t at, const void *bytes, size_t n, Error *err);
        /* where @end->code is negative the file could not be read to its end, and is not to be kept */
        int (*end_file)(void *userdata, const CopyRecord *end, Error *err);
        int (*end_dir)(void *userdata, const CopyRecord *end, Error *err);
} CopySink;

typedef struct CopyRead {
        int from;           /* pipe or file, borrowed */
        uint64_t max_bytes; /* of all content together */
        const CopySink *sink;
        void *sink_userdata;
        CopySkippedFn skipped; /* with the path below what is copied; NULL */
        void *userdata;
} CopyRead;

/** copy_stream_new() - begin. Returns: 0 or -ENOMEM */
int copy_stream_new(const CopyRead *how, CopyStream **ret, Error *err);

/**
 * copy_stream_read() - all of it
 * Returns: 0; -ECONNABORTED: the stream ends before its end; -EBADMSG: it is none; -EFBIG: above max_bytes;
 *          -E2BIG: too many entries; or what the sink returned.
 */
int copy_stream_read(CopyStream *stream, Error *err);

/** copy_stream_skipped() - how many entries were left out so far */
uint64_t copy_stream_skipped(const CopyStream *stream);

/** copy_stream_path() - the path of an entry called @name where the stream is now, for people. Returns: @path */
const char *copy_stream_path(const CopyStream *stream, const char *name,
                             char path[COPY_PATH_SHOWN_MAX]);

/** copy_stream_free() - Returns: NULL */
CopyStream *copy_stream_free(CopyStream *stream);

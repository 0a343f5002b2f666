#pragma once
/*
 * tar-out: the stream of base/copy.h as a tar archive (pax). What a jail sends is checked by copy-stream.h; here it
 * becomes names and bytes in an archive, and touches no file.
 */
#include "base/copy-stream.h"

typedef struct TarOut {
        int from, to;       /* borrowed */
        const char *name;   /* of the first entry; "": the others begin with "./" */
        uint64_t max_bytes; /* of all files together, holes included: an archive has zeros there */
        CopySkippedFn skipped;
        void *userdata;
        uint64_t *ret_padded; /* files with zeros for what could not be had, named on stderr */
} TarOut;

/** tar_out() - all of it, and the archive's end. Returns: 0, or negative errno as copy_stream_read(): then the archive has no end */
int tar_out(const TarOut *how, Error *err);

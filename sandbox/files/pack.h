#pragma once
/*
 * pack: a tree becomes a tar archive (tar-write.h), in the order of its paths: all layers of a snapshot as one tree, or
 * one of them as a layer of a container image, in which ".wh.NAME" stands for a whiteout and ".wh..wh..opq" for
 * a directory that hides what is below it. Unpacked again, either gives what it was made of.
 *
 * What has no place in a layer is not in the store; a file whose name begins with ".wh." would delete another one where a
 * layer is read, and is left out there with a note.
 *
 * A layer's archive is named by its own digest: it is made twice, once for that, and then for what it says.
 *
 * Syscalls: openat2 getdents64 newfstatat readlinkat pread64 lseek flistxattr fgetxattr write
 */
#include <stdbool.h>

#include "base/digest.h"
#include "sandbox/files/report.h"

typedef struct PackJob {
        int tree; /* borrowed, as the next */
        int out;  /* -EBADF: its size and digest are wanted only */
        bool layer;
        const char *
                blob; /* NULL, or of a layer: it is put into an archive itself, as the file of this path … */
        uint64_t size;         /* … and size … */
        const uint8_t *digest; /* … and digest */
} PackJob;

/** pack_run() - and report: RECORD_TOTALS, bytes and entries; RECORD_DIGEST of a layer. Returns: 0 or negative errno */
int pack_run(const PackJob *job, Report *report, Error *err);

/** pack_tail() - the end of an image: texts of @in, "PATH SIZE\n" and the bytes of each, as files, and the end mark. Returns: 0 or negative errno */
int pack_tail(int in, int out, Error *err);

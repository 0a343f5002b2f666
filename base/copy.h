#pragma once
/*
 * copy: the stream in which a file or a tree goes into a jail or comes out of one: records of one size, each with
 * the name or the bytes that it announces. Whoever reads it trusts nobody: entries are single names in a
 * directory that is open, so that no path can lead anywhere else, and everything has a bound.
 *
 *   entry: FILE DATA… END | DIR entry… END | LINK | SKIPPED
 *   stream: entry DONE
 *
 * What is merged into a directory that is there may hold more: DIR entry… LEAVE, and SAME.
 *
 * The first entry has no name: the reader knows how it is to be called, or that it is the place itself. Owners, set-id bits and what is neither
 * file, directory nor link are never carried; a file with two names becomes two.
 */
#include <stdint.h>

#define COPY_NAME_MAX    255u
#define COPY_TARGET_MAX  4095u
#define COPY_CHUNK_MAX   (256u * 1024)
#define COPY_DEPTH_MAX   200u /* directories within each other, each two open descriptors */
#define COPY_ENTRIES_MAX 2000000ull

typedef enum CopyKind {
        COPY_DIR = 1, /* name; its entries follow, until its END */
        COPY_FILE,    /* name; its DATA follow, until its END */
        COPY_LINK,    /* name, target */
        COPY_DATA,    /* bytes at an offset; what no DATA has is a hole */
        COPY_END,     /* of a directory, or of a file with its size: mode and time */
        COPY_SKIPPED, /* name: was there, and is not in the stream, for code's reason */
        COPY_DONE,    /* the last record of a stream that is whole */
        COPY_LEAVE,   /* of a directory: nothing is known of it, it is only on the way */
        COPY_SAME,    /* name, and the path of another name of that file, below the first entry */
        _COPY_KIND_MAX
} CopyKind;

typedef struct CopyRecord {
        uint32_t kind;  /* CopyKind */
        uint32_t name;  /* bytes of the name that follow */
        uint32_t bytes; /* that follow the name: the target of a LINK, content of DATA */
        uint32_t mode;  /* FILE, DIR, END, which has the last word: permission bits */
        uint64_t at;    /* DATA: offset; END of a file: its size; FILE: the most that it will be */
        int64_t mtime;  /* likewise, and of LINK: seconds */
        uint32_t mtime_nsec;
        int32_t code; /* SKIPPED, END of a file that could not be read to its end: negative errno */
} CopyRecord;

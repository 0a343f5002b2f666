#pragma once
/*
 * same-file: is it the same file, and is nothing in it another than it was. What the kernel says of a regular file when
 * its reading begins is compared with what it says of this descriptor, or another, later.
 */
#include <linux/stat.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct SameFile {
        bool is_file; /* else nothing below is set, and it is the same as nothing */
        bool shows_changes;
        uint32_t major, minor;
        uint64_t inode, size;
        off_t at; /* where reading begins */
        struct statx_timestamp modified, changed;
} SameFile;

/**
 * same_file_look() - what @fd is now; @ret is always set
 *
 * A write is seen by the time of change, which goes by ticks of the kernel's clock: one that comes within the tick in
 * which the last one came leaves it as it was. "shows_changes" is said of a file whose last change is older than that, so
 * that whatever changes it from here on is seen.
 *
 * LIMIT: a program that has mapped the file for writing may change a page of it again for half a minute before its time
 * changes again.
 */
void same_file_look(int fd, SameFile *ret);

/** same_file_is() - the same file, with the same content, read from the same place on */
bool same_file_is(const SameFile *a, const SameFile *b);

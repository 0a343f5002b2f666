#pragma once
/*
 * copy-receive: the stream of base/copy.h as a file or tree. The stream is hostile, and so may be whoever else can
 * write to the place: all goes into a new directory entry of a name of our own, through descriptors of
 * directories that we made and through no link, and gets its name by rename when it is whole.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "base/copy-send.h"

typedef struct CopyReceive {
        int from;          /* pipe or file, borrowed */
        const char *place; /* a directory, in which it is called @name; or what it becomes itself */
        const char *name;  /* one name; or "", where @place must not be a directory */
        bool merge; /* @place is a directory, into which goes what is in the first entry; @name does not count */
        mode_t umask;          /* bits that no mode gets */
        uint64_t max_bytes;    /* of all content together */
        CopySkippedFn skipped; /* with the path below what is copied; NULL */
        void *userdata;
} CopyReceive;

/**
 * copy_receive() - read a stream and put what it is about at its place
 * @ret_skipped: how many entries of it are missing, also written where it fails
 *
 * A file or link that is there is replaced, a directory with something in it is not. Links are made as they are and nothing is made
 * through one; the mode of each entry loses set-id bits and those of umask; times of change are kept.
 *
 * Returns: 0; -ECONNABORTED: the stream ends before its end; -EBADMSG: it is none; -EFBIG: above max_bytes;
 *          or negative errno. Where it fails the place is as it was; with @merge each file of it is.
 */
int copy_receive(const CopyReceive *how, uint64_t *ret_skipped, Error *err);

#pragma once
/*
 * check: is a layer of the store still what it was when it landed? The manifest (entry.h) is made again from the tree
 * and its digest reported; whoever asked compares it with the layer's name.
 *
 * Nothing is believed of the tree: it may have been changed by whoever can write below the store. What cannot lie in a layer
 * (a device, a fifo, a file that cannot be read to its end) is refused, which says as much as another digest.
 *
 * LIMIT: a directory that an archive has twice with different attributes keeps those of both, its manifest those of the
 * second: such a layer does not come out as itself.
 */
#include "sandbox/files/report.h"

#define CHECK_PATHS_MAX 20 /* that are named as changed later */

typedef struct CheckJob {
        int layer;           /* its directory, borrowed */
        uint64_t since_nsec; /* when it was complete, in nanoseconds since 1970; 0: not known */
} CheckJob;

/**
 * check_run() - read all of it, and report its digest and totals
 *
 * With @since_nsec paths whose content or attributes were changed later are named by RECORD_PATH: a time of change
 * (ctime) is the kernel's own and set by nobody.
 *
 * Returns: 0 or negative errno.
 */
int check_run(const CheckJob *job, Report *report, Error *err);

#pragma once
/*
 * save: the raw upper of a jail's overlay becomes a layer. What the overlay says by marks stays: whiteouts (a
 * character device 0:0, or the attribute overlay.whiteout), directories that hide what lies below them
 * (overlay.opaque). A layer carries its marks as a device 0:0 and as user.overlay.opaque. What commands
 * could leave behind that may not lie in a layer is cleaned with a note, as when an archive is unpacked.
 *
 * A layer below the upper is taken with it where it is given: what is there in both is the upper's, directories of both
 * are one, and a directory that lies over anything else hides what is still lower, as the overlay has it.
 *
 * The kernel shows trusted.* attributes to no process of a jail: an upper whose overlay was not mounted with
 * userxattr cannot be saved from there, and the monitor mounts none without it.
 */
#include "sandbox/files/land.h"

typedef struct SaveJob {
        int upper; /* borrowed, like the next */
        int below; /* a layer that the overlay had right below this upper, saved together with it; -EBADF: none */
        int out;  /* the empty layer directory, borrowed */
        int tree; /* what all layers still lower show; -EBADF: not known. What is not there, below work, needs no whiteout: an overlay would
                    * show its name in a directory that no lower layer has */
        bool trim; /* @tree is all that lies below: what is a mark of nothing there is left out, as where an image is
                    * imported, so that the same change of the same tree is the same layer */
        LandLimits limits;
} SaveJob;

/** save_run() - do it, and report. Returns: 0 or negative errno */
int save_run(const SaveJob *job, Report *report, Error *err);

#pragma once
/*
 * unpack: an archive becomes a layer. Nothing that the archive says is believed: what may not lie in a
 * layer is left out with a note (devices, set-id bits, attributes that privileged programs or the overlay
 * act on), and what no honest archive holds ends the job (names that leave the tree or go through links,
 * one name as two things, an end that is missing).
 */
#include "sandbox/files/land.h"
#include "sandbox/files/stream.h"

typedef struct UnpackJob {
        int in;  /* the archive, borrowed */
        int out; /* the empty layer directory, borrowed */
        const char *
                prefix; /* directory beneath @out that takes the tree's place; NULL or "" for none */
        LandLimits limits;
        bool takes_image; /* an image may come in the place of a tree: RECORD_IMAGE says so */
        bool is_layer;    /* of an image: names that mark deletions are obeyed (whiteouts.h) */
        int below;        /* then: the layers below, merged, borrowed; -EBADF: none */
        StreamKnown known;
        uint32_t
                owner; /* of everything, whatever the archive says; UNPACK_OWNER_KEEP: as it says */
        bool held; /* it lies above a tree, and stays what it is: everything is id 0's (hold.h) */
} UnpackJob;

#define UNPACK_OWNER_KEEP UINT32_MAX

/** unpack_run() - do it, and report. Returns: 0 or negative errno */
int unpack_run(const UnpackJob *job, Report *report, Error *err);

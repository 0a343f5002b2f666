#pragma once
/*
 * shield: what can be made of a base before there is a patch, once for all of them: the layer that holds its
 * protected files (hold.h), and the listing of its files (fingerprint.h).
 */
#include "sandbox/files/glob.h"
#include "sandbox/files/land.h"

typedef struct ShieldJob {
        int old;            /* the base, borrowed as the next two */
        int out;            /* where the layer lands, an empty directory */
        int listing;        /* where the listing is written */
        const char *prefix; /* the base's directory in its layer, and so in this one; clean */
        LandLimits limits;
        Globs protect;
        Globs allow;
} ShieldJob;

/** shield_run() - make both, and report the layer's digest and totals. Returns: 0 or negative errno */
int shield_run(const ShieldJob *job, Report *report, Error *err);

#pragma once
/*
 * host-pack: a toolchain of this host as an archive: packages with all that they need, and paths. It runs in the child that has
 * the user's rights, and takes only what everybody on the host may read.
 */
#include "cli/tree-pack.h"

typedef struct HostPack {
        int out; /* borrowed */
        char *const *
                words; /* packages by name, and what begins with '/': paths with all that lies below */
        int n;
} HostPack;

/**
 * host_pack_run() - write the archive
 *
 * Programs by their general names (cc, awk) come with the package that stands for them here. Documentation, manual pages and
 * translations are left out; so are files that not everybody may read, whoever packs.
 *
 * Returns: 0, or negative errno.
 */
int host_pack_run(const HostPack *job, TreePackTotals *ret, Error *err);

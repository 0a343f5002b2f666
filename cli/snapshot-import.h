#pragma once
/*
 * snapshot-import: snapshot.import as the command asks for it: from a file, a pipe, or a child that packs.
 */
#include "cli/as-user.h"
#include "cli/verbs.h"

typedef struct ImportOptions {
        Common common;
        uint64_t max_bytes;
        uint64_t max_entries;
        const char *image;
        bool from_host;
        bool is_public;
        bool is_private;
} ImportOptions;

/**
 * snapshot_import() - import what @fd holds, and show what came of it
 * @work: a child that writes it to the other end of @fd, or NULL; finished here, whatever happens
 *
 * @fd is consumed: while it is open here a child would not hear that nobody reads any more.
 *
 * Returns: 0 or negative errno.
 */
int snapshot_import(const ImportOptions *options, const char *name, int fd, UserWork *work,
                    Error *err);

#pragma once
/*
 * snapshots: names for ordered lists of layers, in the ledger. A name belongs to who imported it; those of
 * uid 0 are seen by all. `host` is always there: the host's own root, no layer.
 */
#include "base/record.h"
#include "supervisor/front/front.h"

#define SNAPSHOTS_PER_UID_MAX 256

typedef struct SnapshotInfo {
        char name[72];
        unsigned n_layers;                   /* 0: the host root */
        uint8_t layers[PLAN_LAYERS_MAX][32]; /* topmost first */
        uint64_t bytes, entries, created_usec;
        uint32_t owner_uid;
} SnapshotInfo;

/**
 * snapshots_find() - the snapshot that @uid means by a name: its own, else root's, which are everybody's
 *
 * Root too: another's of the same name is never taken for its own.
 *
 * Returns: 0, or -ENOENT with a sentence, the same whoever else has such a name.
 */
int snapshots_find(Front *front, const char *name, uint32_t uid, SnapshotInfo *ret, Error *err);

/** snapshots_find_of() - the one of @owner and no other's. Returns: as snapshots_find() */
int snapshots_find_of(Front *front, const char *name, uint32_t owner, SnapshotInfo *ret,
                      Error *err);

/** SnapshotFn - one after the other, by name; @info is borrowed */
typedef void (*SnapshotFn)(const SnapshotInfo *info, void *userdata);
/** snapshots_each() - all that @uid may see (0: all), `host` first */
int snapshots_each(Front *front, uint32_t uid, SnapshotFn each, void *userdata, Error *err);

/** snapshots_add() - and hold its layers; @config: how it is run, of an image, else NULL. Returns: 0, -EEXIST, -EDQUOT */
int snapshots_add(Front *front, const SnapshotInfo *info, const cJSON *config, Error *err);
/** snapshots_config() - of an image: {"env", "user", "cwd", "entrypoint", "cmd"}; NULL: none. Owned by the caller */
cJSON *snapshots_config(Front *front, const SnapshotInfo *info);
/** snapshots_image() - the same of the one that @uid means by @name */
cJSON *snapshots_image(Front *front, const char *name, uint32_t uid);
/**
 * snapshots_check_new() - may @uid add a snapshot of this name
 * @bytes:    that it takes on disk, 1 where that is not known yet
 * @ret_left: bytes that the user's quota and imports that run leave, UINT64_MAX: no quota; may be NULL
 *
 * Returns: 0, -EINVAL, -EEXIST, -EDQUOT.
 */
int snapshots_check_new(Front *front, const char *name, uint32_t uid, uint64_t bytes,
                        uint64_t *ret_left, Error *err);
/** snapshots_left() - bytes on disk that the quota of @uid leaves, UINT64_MAX: no quota. Returns: 0, -EDQUOT: none */
int snapshots_left(Front *front, uint32_t uid, uint64_t *ret_left, Error *err);
/** snapshots_remove() - forget what snapshots_find() gave and let go of its layers */
int snapshots_remove(Front *front, const SnapshotInfo *info, Error *err);

/** snapshots_digest() - what a verdict names: SHA-256 over the layers' digests ("host" for the host root) */
void snapshots_digest(const SnapshotInfo *info, uint8_t *ret_digest);

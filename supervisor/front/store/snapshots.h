#pragma once
/*
 * snapshots: names for ordered lists of layers, in the ledger. A name belongs to who imported it, and is seen by others
 * where its owner published it; what root imports is public from the start. `host` is always there: the host's own
 * root, no layer.
 */
#include "base/record.h"
#include "supervisor/front/front.h"

#define SNAPSHOTS_PER_UID_MAX 256
#define SNAPSHOT_REF_MAX \
        80 /* "UID:NAME" with its NUL: what SnapshotName of protocol/shapes.json lets through */

typedef struct SnapshotInfo {
        char name[72];
        bool is_public;
        int64_t row;                         /* of the ledger: places in lists */
        unsigned n_layers;                   /* 0: the host root */
        uint8_t layers[PLAN_LAYERS_MAX][32]; /* topmost first */
        uint64_t bytes, entries, created_usec;
        uint32_t owner_uid;
} SnapshotInfo;

/**
 * snapshots_find() - the snapshot that @uid means by a name: its own, else root's where root published it
 *
 * Root too: another's of the same name is never taken for its own. What any other user published is found by
 * "UID:NAME" alone, so that nobody comes to stand on a stranger's root because he lacks one of that name.
 *
 * Returns: 0, or -ENOENT with a sentence, the same whoever else has such a name.
 */
int snapshots_find(Front *front, const char *name, uint32_t uid, SnapshotInfo *ret, Error *err);

/** snapshots_find_of() - the one of @owner and no other's; @is_public: if it is published. Returns: as snapshots_find() */
int snapshots_find_of(Front *front, const char *name, uint32_t owner, bool is_public,
                      SnapshotInfo *ret, Error *err);

typedef struct SnapshotsFrom {
        uint32_t uid;  /* its own and what is published; 0: all */
        bool own;      /* its own alone, root's too */
        int64_t after; /* this row; 0: from the first */
} SnapshotsFrom;

/** SnapshotFn - one after the other, as they came; @info is borrowed. Returns: shall it go on */
typedef bool (*SnapshotFn)(const SnapshotInfo *info, void *userdata);
/** snapshots_each() - without `host`, which is no row */
int snapshots_each(Front *front, const SnapshotsFrom *from, SnapshotFn each, void *userdata,
                   Error *err);

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
typedef struct
        SnapshotHolders { /* what holders of layers are called that are one user's snapshots: from <= it < to */
        char from[40], to[40];
} SnapshotHolders;

/** snapshot_holders() - of @uid */
SnapshotHolders snapshot_holders(uint32_t uid);
/** snapshots_count() - how many a user has */
uint64_t snapshots_count(Front *front, uint32_t uid);
/** snapshots_disk() - bytes that the store keeps for a user, and reserves for imports that run */
uint64_t snapshots_disk(Front *front, uint32_t uid);
/** snapshots_left() - bytes on disk that the quota of @uid leaves, UINT64_MAX: no quota. Returns: 0, -EDQUOT: none */
int snapshots_left(Front *front, uint32_t uid, uint64_t *ret_left, Error *err);
/** snapshots_remove() - forget what snapshots_find() gave and let go of its layers */
int snapshots_remove(Front *front, const SnapshotInfo *info, Error *err);

/**
 * snapshots_tag() - another name for the layers of @from
 * @to:      name, owner, is_public; all else as @from
 * @replace: the owner's snapshot of that name, if there is one, makes room in the same step
 *
 * Returns: 0, -EINVAL, -EEXIST, -EDQUOT, -EPERM: there is none of the host root.
 */
int snapshots_tag(Front *front, const SnapshotInfo *from, const SnapshotInfo *to, bool replace,
                  Error *err);
/** snapshots_publish() - may others use it from now on. Returns: 0, -EPERM: the host root */
int snapshots_publish(Front *front, const SnapshotInfo *info, bool is_public, Error *err);

/** snapshots_digest() - what a verdict names: SHA-256 over the layers' digests ("host" for the host root) */
void snapshots_digest(const SnapshotInfo *info, uint8_t *ret_digest);

#pragma once
/*
 * snapshot-show: which snapshot a request means, and what the protocol says of one.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/store/snapshots.h"

/**
 * snapshot_named() - the one that "name" and "owner_uid" mean
 *
 * Without an owner what the caller means by the name (snapshots_find()); with one that user's and no other, if the caller
 * may know of it. Of others' the answer is the one for a name that nobody has.
 *
 * Returns: 0, or negative errno after call_refuse().
 */
int snapshot_named(Front *front, Call *call, const cJSON *params, SnapshotInfo *ret, Error *err);
/**
 * snapshot_check_owner() - may the caller change or remove it
 *
 * An administrator says whose: what it sees by a name alone may be another's than it thinks.
 *
 * Returns: 0, or -EPERM after call_refuse().
 */
int snapshot_check_owner(Call *call, const cJSON *params, const SnapshotInfo *info, Error *err);
/** snapshot_may_read() - may the caller come to what is in it: an administrator only knows that another's private one is there */
bool snapshot_may_read(const Call *call, const SnapshotInfo *info);

/**
 * snapshot_describe() - name, layers, sizes, time, owner, and "ref": what @uid, who reads it, calls it in requests
 *
 * Returns: owned by the caller; NULL: no memory.
 */
cJSON *snapshot_describe(Front *front, const SnapshotInfo *info, uint32_t uid);
/** snapshot_add_layers() - "layers", their digests, the lowest first */
void snapshot_add_layers(cJSON *json, const SnapshotInfo *info);
/** snapshot_add_parts() - its layers one by one: bytes, entries, time, state, and how many snapshots of @uid have each */
void snapshot_add_parts(Front *front, cJSON *json, const SnapshotInfo *info, uint32_t uid);
/** snapshot_add_jails() - jails that stand on one of its layers: ids of those that @uid sees (0: all), and how many others */
void snapshot_add_jails(Front *front, cJSON *json, const SnapshotInfo *info, uint32_t uid);
/** layer_in_jail() - does a jail stand on it, or is one being made or ended that does */
bool layer_in_jail(const Front *front, const uint8_t *digest);

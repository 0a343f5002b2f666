#pragma once
/*
 * store: layers and disks, and the jobs on them. No name there comes from a front: only digests, handles and
 * numbers do (sandbox/store-dirs.h).
 */
#include "sandbox/disk.h"
#include "sandbox/store-dirs.h"
#include "supervisor/monitor/monitor.h"

/** StoreDoneFn - a commit ended, with 0 or negative errno: the answer to @cookie */
typedef void (*StoreDoneFn)(Monitor *monitor, uint32_t cookie, int code);

/** store_new() - open or make STATE/store; what a dead monitor left unfinished is removed */
int store_new(Monitor *monitor, int state_fd, Store **ret, Error *err);
/** store_free() - stop what is under way; the disk stays as it is. Returns: NULL */
Store *store_free(Store *store);
/** store_leave_gone() - what waits to be taken apart is left to the next start from now on. Returns: was it not before */
bool store_leave_gone(Store *store);
/** store_is_busy() - is something under way; monitor_step() is called when it ends */
bool store_is_busy(const Store *store);
/** store_dirs() - where layers and disks lie, borrowed */
const StoreDirs *store_dirs(const Store *store);
/** store_drop() - forget a new layer. Returns: 0, -ENOENT or negative errno */
int store_drop(Store *store, uint64_t handle, Error *err);
/** store_drop_all() - forget all new layers (those of a front that is gone) */
int store_drop_all(Store *store, Error *err);
/** store_remove() - forget a layer. Returns: 0, -ENOENT or negative errno */
int store_remove(Store *store, const uint8_t *digest, Error *err);

/** store_disk_remove() - forget a disk. Returns: 0, -ENOENT or negative errno */
int store_disk_remove(Store *store, uint64_t disk, Error *err);

typedef struct StoreCommit { /* or the making of a disk, where that has bytes */
        uint64_t handle;
        uint8_t digest[32];
        DiskSpec disk;
        uint32_t cookie;
        StoreDoneFn done;
} StoreCommit;

/** store_commit() - flush a new layer to disk, then give it its digest as name; an existing layer wins. Or make a disk */
int store_commit(Store *store, const StoreCommit *commit, Error *err);

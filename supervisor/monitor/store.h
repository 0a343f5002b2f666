#pragma once
/*
 * store: layers on disk. STATE/store is 0700 of root and holds layers/<64 hex digits>, new/<handle>,
 * gone/ (trees that wait for their removal) and skeleton/ (the sandbox's). No name in it comes from a
 * front: only digests and handles do.
 */
#include "supervisor/monitor/monitor.h"

/** StoreDoneFn - a commit ended, with 0 or negative errno: the answer to @cookie */
typedef void (*StoreDoneFn)(Monitor *monitor, uint32_t cookie, int code);

/** store_new() - open or make STATE/store; what a dead monitor left unfinished is removed */
int store_new(Monitor *monitor, int state_fd, Store **ret, Error *err);
/** store_free() - stop what is under way; the disk stays as it is. Returns: NULL */
Store *store_free(Store *store);
/** store_is_busy() - is something under way; monitor_step() is called when it ends */
bool store_is_busy(const Store *store);
/** store_fd() - the store's directory, borrowed */
int store_fd(const Store *store);
/** store_open() - a layer by digest. Returns: an O_PATH descriptor owned by the caller, or negative errno */
int store_open(const Store *store, const uint8_t *digest, Error *err);
/** store_open_new() - a layer that is being made. Returns: as store_open() */
int store_open_new(const Store *store, uint64_t handle, Error *err);
/** store_open_skeleton() - the host root's skeleton. Returns: as store_open() */
int store_open_skeleton(const Store *store, Error *err);
/** store_make() - an empty new layer that belongs to @id, the first of the store range */
int store_make(Store *store, uint64_t handle, uint32_t id, Error *err);
/** store_drop() - forget a new layer. Returns: 0, -ENOENT or negative errno */
int store_drop(Store *store, uint64_t handle, Error *err);
/** store_drop_all() - forget all new layers (those of a front that is gone) */
int store_drop_all(Store *store, Error *err);
/** store_remove() - forget a layer. Returns: 0, -ENOENT or negative errno */
int store_remove(Store *store, const uint8_t *digest, Error *err);

typedef struct StoreCommit {
        uint64_t handle;
        uint8_t digest[32];
        uint32_t cookie;
        StoreDoneFn done;
} StoreCommit;

/** store_commit() - flush a new layer to disk, then give it its digest as name; an existing layer wins */
int store_commit(Store *store, const StoreCommit *commit, Error *err);

#pragma once
/*
 * store: layers and disks, and the jobs on them. No name there comes from a front: only digests, handles and
 * numbers do (sandbox/store-dirs.h).
 */
#include "sandbox/disk.h"
#include "sandbox/store-dirs.h"
#include "supervisor/monitor/monitor.h"

/** StoreDoneFn - a job ended, with 0 or negative errno: the answer to @cookie */
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

typedef enum StoreJobKind {
        STORE_JOB_EMPTY, /* what is gone is taken apart: begun by all that forgets something */
        STORE_JOB_COMMIT, /* a new layer is flushed, then gets its digest as name; an existing layer wins */
        STORE_JOB_DISK, /* a disk is made; an existing one is an error */
} StoreJobKind;

typedef struct StoreJob {
        StoreJobKind kind;
        uint32_t cookie;
        StoreDoneFn done;   /* NULL: nobody wants to know */
        uint64_t handle;    /* COMMIT: the new layer */
        uint8_t digest[32]; /* COMMIT: its name */
        DiskSpec disk;      /* DISK */
} StoreJob;

/** store_commit() - start a job of the kind COMMIT. Returns: 0 and @done will be called; negative errno */
int store_commit(Store *store, const StoreJob *job, Error *err);
/** store_disk_make() - start a job of the kind DISK, as store_commit() */
int store_disk_make(Store *store, const StoreJob *job, Error *err);

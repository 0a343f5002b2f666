#pragma once
/*
 * store-dirs: layers and disks on disk, by name. STATE/store is 0700 of root and holds layers/<64 hex digits>,
 * new/<handle>, gone/ (trees that wait for their removal) and skeleton/; STATE/workspaces the disks. Nothing
 * here waits or starts a process: supervisor/monitor/store.c does.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

typedef struct StoreDirs { /* owned descriptors */
        int store, layers, fresh, gone, disks;
} StoreDirs;

#define STORE_DIRS_EMPTY ((StoreDirs){ -EBADF, -EBADF, -EBADF, -EBADF, -EBADF })

/** store_dirs_open() - open or make them below @state; what was opened is closed by store_dirs_close() in any case */
int store_dirs_open(StoreDirs *dirs, int state, Error *err);
/**
 * store_dirs_alone() - in a child that works on them: it ends with @parent, and keeps these and @end, nothing else
 * @what: its work in a word, which ps(1) shows
 *
 * An upper that is open in it would have a jail's disk in use when that jail has ended.
 */
void store_dirs_alone(const StoreDirs *dirs, pid_t parent, int end, const char *what);
/** store_dirs_close() */
void store_dirs_close(StoreDirs *dirs);

/** store_dirs_layer() - a layer by digest. Returns: an O_PATH descriptor owned by the caller, or negative errno */
int store_dirs_layer(const StoreDirs *dirs, const uint8_t *digest, Error *err);
/** store_dirs_new() - a layer that is being made. Returns: likewise */
int store_dirs_new(const StoreDirs *dirs, uint64_t handle, Error *err);
/** store_dirs_skeleton() - the host root's skeleton. Returns: likewise */
int store_dirs_skeleton(const StoreDirs *dirs, Error *err);

/** store_dirs_disk() - Returns: as disk_open() */
int store_dirs_disk(const StoreDirs *dirs, uint64_t disk, Error *err);
/** store_dirs_disk_used() - Returns: as disk_used() */
int store_dirs_disk_used(const StoreDirs *dirs, uint64_t disk, uint64_t *ret, Error *err);

/** store_dirs_make() - an empty new layer that belongs to @id */
int store_dirs_make(const StoreDirs *dirs, uint64_t handle, uint32_t id, Error *err);
/** store_dirs_hold_back() - from here on no jail can be given the new layer, and none commits it twice; or (@hold false) again */
int store_dirs_hold_back(const StoreDirs *dirs, uint64_t handle, bool hold, Error *err);
/** store_dirs_commit() - flush a layer that is held back and give it its name: waits. Returns: as layer_appear() */
int store_dirs_commit(const StoreDirs *dirs, uint64_t handle, const uint8_t *digest);

/** store_dirs_forget_new() - to gone/, as the next two. Returns: 0, -ENOENT or negative errno */
int store_dirs_forget_new(const StoreDirs *dirs, uint64_t handle, Error *err);
/** store_dirs_forget() - a layer */
int store_dirs_forget(const StoreDirs *dirs, const uint8_t *digest, Error *err);
/** store_dirs_forget_disk() - -EBUSY: something still has it */
int store_dirs_forget_disk(const StoreDirs *dirs, uint64_t disk, Error *err);

/*
 * store-dirs: see store-dirs.h.
 *
 * A layer appears whole or not at all: it is written as new/<handle>, flushed, and only then renamed to
 * its digest. What is to go is renamed to gone/ at once.
 */
#include "sandbox/store-dirs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/disk.h"
#include "sandbox/gone.h"
#include "sandbox/layer-appear.h"
#include "sandbox/layer-names.h"
#include "sandbox/own-dir.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int store_dirs_open(StoreDirs *dirs, int state, Error *err) {
        int r = dirs->store = own_dir(state, "store", 0700, OWN_DIR_OURS, err);

        if (r >= 0)
                r = dirs->layers = own_dir(dirs->store, "layers", 0700, OWN_DIR_OURS, err);
        if (r >= 0)
                r = dirs->fresh = own_dir(dirs->store, "new", 0700, OWN_DIR_OURS, err);
        if (r >= 0)
                r = dirs->gone = own_dir(dirs->store, "gone", 0700, OWN_DIR_OURS, err);
        if (r >= 0)
                r = dirs->disks = own_dir(state, "workspaces", 0700, OWN_DIR_OURS, err);
        return r < 0 ? r : 0;
}

void store_dirs_alone(const StoreDirs *dirs, pid_t parent, int end, const char *what) {
        const int keep[] = { end, dirs->layers, dirs->fresh, dirs->gone, dirs->disks };
        char name[16]; /* as much as the kernel keeps */

        (void) snprintf(name, sizeof name, "warder-%s", what);
        (void) prctl(PR_SET_NAME, name, 0, 0, 0);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
                _exit(EIO);
        (void) fds_close_others(keep, ELEMENTS(keep));
}

void store_dirs_close(StoreDirs *dirs) {
        fds_close(&dirs->disks, 1);
        fds_close(&dirs->gone, 1);
        fds_close(&dirs->fresh, 1);
        fds_close(&dirs->layers, 1);
        fds_close(&dirs->store, 1);
}

/* A single component that is hex digits or a word of ours cannot leave the directory; a link is refused. */
static int open_layer(int at, const char *name, const char *what, Error *err) {
        int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? error_set(err, -errno, "open %s %s", what, name) : fd;
}

int store_dirs_layer(const StoreDirs *dirs, const uint8_t *digest, Error *err) {
        char name[LAYER_NAME_SIZE];

        return open_layer(dirs->layers, layer_name(digest, name), "layer", err);
}

int store_dirs_new(const StoreDirs *dirs, uint64_t handle, Error *err) {
        char name[LAYER_NAME_SIZE];

        return open_layer(dirs->fresh, layer_name_new(handle, name), "new layer", err);
}

int store_dirs_skeleton(const StoreDirs *dirs, Error *err) {
        return open_layer(dirs->store, "skeleton", "the host root's", err);
}

int store_dirs_disk(const StoreDirs *dirs, uint64_t disk, Error *err) {
        return disk_open(dirs->disks, disk, err);
}

int store_dirs_disk_used(const StoreDirs *dirs, uint64_t disk, uint64_t *ret, Error *err) {
        return disk_used(dirs->disks, disk, ret, err);
}

int store_dirs_make(const StoreDirs *dirs, uint64_t handle, uint32_t id, Error *err) {
        char name[LAYER_NAME_SIZE];
        autoclose int fd = -EBADF;
        int r;

        if (mkdirat(dirs->fresh, layer_name_new(handle, name), 0755) < 0)
                return error_set(err, -errno, "make new layer %s", name);
        fd = openat(dirs->fresh, name, DIR_FLAGS);
        if (fd >= 0 && fchown(fd, id, id) == 0 && fchmod(fd, 0755) == 0)
                return 0;
        r = error_set(err, -errno, "hand new layer %s to the store range", name);
        (void) unlinkat(dirs->fresh, name, AT_REMOVEDIR); /* empty, and nobody knows it */
        return r;
}

int store_dirs_hold_back(const StoreDirs *dirs, uint64_t handle, bool hold, Error *err) {
        char free_name[LAYER_NAME_SIZE], held[LAYER_NAME_SIZE];

        (void) layer_name_new(handle, free_name);
        (void) layer_name_committing(handle, held);
        if (renameat(dirs->fresh, hold ? free_name : held, dirs->fresh, hold ? held : free_name) <
            0)
                return error_set(err, -errno, "commit new layer %s", free_name);
        return 0;
}

int store_dirs_commit(const StoreDirs *dirs, uint64_t handle, const uint8_t *digest) {
        char from[LAYER_NAME_SIZE], to[LAYER_NAME_SIZE];

        return layer_appear(dirs->layers, dirs->fresh, dirs->gone,
                            layer_name_committing(handle, from), layer_name(digest, to));
}

static int forget(const StoreDirs *dirs, int at, const char *name, Error *err) {
        int r = gone_take(dirs->gone, at, name);

        return r < 0 ? error_set(err, r, "forget %s", name) : 0;
}

int store_dirs_forget_new(const StoreDirs *dirs, uint64_t handle, Error *err) {
        char name[LAYER_NAME_SIZE];

        return forget(dirs, dirs->fresh, layer_name_new(handle, name), err);
}

int store_dirs_forget(const StoreDirs *dirs, const uint8_t *digest, Error *err) {
        char name[LAYER_NAME_SIZE];

        return forget(dirs, dirs->layers, layer_name(digest, name), err);
}

int store_dirs_forget_disk(const StoreDirs *dirs, uint64_t disk, Error *err) {
        char name[DISK_NAME_SIZE];
        int r = disk_check_free(dirs->disks, disk, err);

        return r < 0 ? r : forget(dirs, dirs->disks, disk_name(disk, name), err);
}

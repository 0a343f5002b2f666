/*
 * played-store: see played.h. Layers are rows of a table; a commit ends when the target says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "supervisor/monitor/store.h"
#include "tests/fuzz/played.h"

#define LAYERS_MAX 64 /* by digest; more are refused as a full disk refuses them */

typedef struct Made {
        uint64_t handle;
        StoreJob job;
        bool committing;
} Made;

static Made made[NEW_LAYERS_MAX];
static unsigned n_made;
static uint8_t layers[LAYERS_MAX][32];
static unsigned n_layers;
static uint64_t last; /* handle: none is ever used twice */

void played_store_reset(void) {
        n_made = n_layers = 0;
        last = 0;
}

unsigned played_layers(void) {
        return n_made;
}

static Made *find_made(uint64_t handle) {
        for (unsigned i = 0; i < n_made; i++)
                if (made[i].handle == handle && !made[i].committing)
                        return &made[i];
        return NULL;
}

static unsigned find_layer(const uint8_t *digest) {
        unsigned i = 0;

        while (i < n_layers && memcmp(layers[i], digest, sizeof(layers[i])) != 0)
                i++;
        return i;
}

static int some_directory(bool there, Error *err) {
        if (!there)
                return error_say(err, -ENOENT, "no such layer");
        return open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int store_dirs_layer(const StoreDirs *dirs, const uint8_t *digest, Error *err) {
        (void) dirs;
        return some_directory(find_layer(digest) < n_layers, err);
}

int store_dirs_new(const StoreDirs *dirs, uint64_t handle, Error *err) {
        (void) dirs;
        return some_directory(find_made(handle) != NULL, err);
}

int store_dirs_skeleton(const StoreDirs *dirs, Error *err) {
        (void) dirs;
        return some_directory(true, err);
}

/* Of disks only that their number is one: an empty directory is as good as an image here. */
int store_dirs_disk(const StoreDirs *dirs, uint64_t disk, Error *err) {
        (void) dirs;
        return some_directory(disk % 2 == 1, err);
}

int store_dirs_disk_used(const StoreDirs *dirs, uint64_t disk, uint64_t *ret, Error *err) {
        (void) dirs;
        if (disk % 2 == 0)
                return error_say(err, -ENOENT, "no such disk");
        *ret = disk;
        return 0;
}

const StoreDirs *store_dirs(const Store *store) {
        static const StoreDirs dirs = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF };

        (void) store;
        return &dirs;
}

bool store_is_busy(const Store *store) {
        (void) store;
        for (unsigned i = 0; i < n_made; i++)
                if (made[i].committing)
                        return true;
        return false;
}

int store_dirs_make(const StoreDirs *dirs, uint64_t handle, uint32_t id, Error *err) {
        (void) dirs;
        (void) id;
        played_must(handle > last && n_made < NEW_LAYERS_MAX);
        last = handle;
        if (played_fails())
                return error_say(err, -ENOSPC, "the disk is full");
        made[n_made++] = (Made){ .handle = handle };
        return 0;
}

static void forget(Made *layer) {
        *layer = made[--n_made];
}

int store_drop(Store *store, uint64_t handle, Error *err) {
        Made *layer = find_made(handle);

        (void) store;
        if (!layer)
                return error_say(err, -ENOENT, "no such new layer");
        forget(layer);
        return 0;
}

int store_remove(Store *store, const uint8_t *digest, Error *err) {
        unsigned i = find_layer(digest);

        (void) store;
        if (i == n_layers)
                return error_say(err, -ENOENT, "no such layer");
        memcpy(layers[i], layers[--n_layers], sizeof(layers[i]));
        return 0;
}

/* A disk in the making has no handle, so that nobody finds it among the layers */
int store_disk_make(Store *store, const StoreJob *job, Error *err) {
        (void) store;
        played_must(job->kind == STORE_JOB_DISK && n_made < NEW_LAYERS_MAX && job->disk.disk != 0 &&
                    job->disk.bytes >= DISK_BYTES_MIN && job->disk.bytes <= DISK_BYTES_MAX);
        if (played_fails())
                return error_say(err, -EAGAIN, "no process for the job");
        made[n_made++] = (Made){ .job = *job, .committing = true };
        return 0;
}

int store_commit(Store *store, const StoreJob *job, Error *err) {
        Made *layer = find_made(job->handle);

        (void) store;
        played_must(job->kind == STORE_JOB_COMMIT);
        if (!layer)
                return error_say(err, -ENOENT, "no such new layer");
        if (played_fails())
                return error_say(err, -EAGAIN, "no process for the job");
        layer->job = *job;
        layer->committing = true;
        return 0;
}

int store_disk_remove(Store *store, uint64_t disk, Error *err) {
        (void) store;
        return disk % 2 == 1 ? 0 : error_say(err, -ENOENT, "no such disk");
}

bool played_store_next(Monitor *monitor, int code) {
        for (unsigned i = 0; i < n_made; i++) {
                StoreJob job = made[i].job;

                if (!made[i].committing)
                        continue;
                forget(&made[i]);
                if (code == 0 && job.kind == STORE_JOB_COMMIT && n_layers < LAYERS_MAX &&
                    find_layer(job.digest) == n_layers)
                        memcpy(layers[n_layers++], job.digest, sizeof(job.digest));
                job.done(monitor, job.cookie, code);
                monitor_step(monitor);
                return true;
        }
        return false;
}

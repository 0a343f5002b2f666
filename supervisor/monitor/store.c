/*
 * store: layers by digest.
 *
 * A layer appears whole or not at all: it is written as new/<handle>, flushed, and only then renamed to
 * its digest. What is to go is renamed to gone/ at once, which is all that a request waits for, and
 * taken apart by a child of ours (sandbox/gone.c); after a crash the next start goes on where it stopped.
 */
#include "supervisor/monitor/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fds.h"
#include "sandbox/gone.h"
#include "sandbox/layer-appear.h"
#include "sandbox/layer-names.h"
#include "supervisor/monitor/place.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

typedef struct Job Job;

struct Job { /* a child of ours that works on the disk; in gone/ where it has no commit */
        Job *next;
        Store *store;            /* borrowed */
        int pidfd;               /* owned */
        sd_event_source *source; /* owned */
        bool is_commit;
        StoreCommit commit;
};

struct Store {
        Monitor *monitor;            /* borrowed, outlives us */
        int fd, layers, fresh, gone; /* owned */
        Job *jobs;                   /* owned list */
        bool more_gone;              /* something came to gone/ while its job ran */
};

static int job_start(Store *store, const StoreCommit *commit, Error *err);

static int commit_layer(const Store *store, const StoreCommit *commit) {
        char from[LAYER_NAME_SIZE], to[LAYER_NAME_SIZE];

        return layer_appear(store->layers, store->fresh, store->gone,
                            layer_name_committing(commit->handle, from),
                            layer_name(commit->digest, to));
}

static Job *job_free(Job *job) {
        sd_event_source_disable_unref(job->source);
        (void) close(job->pidfd);
        free(job);
        return NULL;
}

static int on_job_end(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Job *job = userdata;
        Store *store = job->store;
        siginfo_t info = { .si_pid = 0 };
        int code = -EIO;

        (void) source;
        (void) events;
        (void) fd;
        if (waitid(P_PIDFD, (id_t) job->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
                return 0; /* its descriptors are closed, the rest comes at once */
        if (info.si_code == CLD_EXITED)
                code = -info.si_status;
        for (Job **at = &store->jobs; *at; at = &(*at)->next)
                if (*at == job) {
                        *at = job->next;
                        break;
                }
        if (job->is_commit && job->commit.done)
                job->commit.done(store->monitor, job->commit.cookie, code);
        if (!job->is_commit && store->more_gone)
                (void) job_start(store, NULL, NULL);
        job_free(job);
        monitor_step(store->monitor);
        return 0;
}

/* One step: a child that cannot be watched must not have begun. */
static int clone_job(Job *job) {
        const Store *store = job->store;
        long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &job->pidfd, NULL, 0);

        if (pid != 0)
                return pid < 0 ? -errno : 0;
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* the next start goes on */
        _exit(-(job->is_commit ? commit_layer(store, &job->commit) : gone_empty(store->gone)) &
              0xff);
}

/*
 * Without a commit: the one that empties gone/, of which one at a time is enough. Its end is seen at a pipe of
 * which it has the other end, and which is watched before there is a child.
 */
static int job_start(Store *store, const StoreCommit *commit, Error *err) {
        int ends[2] = { -EBADF, -EBADF }, r;
        Job *job;

        for (job = store->jobs; job && !commit; job = job->next)
                if (!job->is_commit) {
                        store->more_gone = true;
                        return 0;
                }
        job = calloc(1, sizeof *job);
        if (!job)
                return error_set(err, -ENOMEM, "start a job on the store");
        *job = (Job){ .store = store, .pidfd = -EBADF, .is_commit = commit != NULL };
        if (commit)
                job->commit = *commit;
        else
                store->more_gone = false;
        r = pipe2(ends, O_CLOEXEC) < 0 ? -errno
                                       : sd_event_add_io(store->monitor->event, &job->source,
                                                         ends[0], EPOLLIN, on_job_end, job);
        if (r >= 0)
                r = clone_job(job);
        fds_close(&ends[1], 1);
        if (r < 0) {
                job_free(job);
                fds_close(ends, 1);
                return error_set(err, r, "start a job on the store");
        }
        (void) sd_event_source_set_io_fd_own(job->source, true);
        (void) sd_event_source_set_description(job->source, "job of the store");
        job->next = store->jobs;
        store->jobs = job;
        return 0;
}

/* The name changes first: from here on no jail can be given the layer, and none commits it twice. */
int store_commit(Store *store, const StoreCommit *commit, Error *err) {
        char from[LAYER_NAME_SIZE], to[LAYER_NAME_SIZE];
        int r;

        if (renameat(store->fresh, layer_name_new(commit->handle, from), store->fresh,
                     layer_name_committing(commit->handle, to)) < 0)
                return error_set(err, -errno, "commit new layer %s", from);
        r = job_start(store, commit, err);
        if (r < 0) /* it is the front's again, to drop or to commit */
                (void) renameat(store->fresh, to, store->fresh, from);
        return r;
}

int store_new(Monitor *monitor, int state_fd, Store **ret, Error *err) {
        Store *store = calloc(1, sizeof *store);
        int r;

        if (!store)
                return error_set(err, -ENOMEM, "open the store");
        *store = (Store){ monitor, -EBADF, -EBADF, -EBADF, -EBADF, NULL, false };
        r = store->fd = place_dir(state_fd, "store", 0700, PLACE_OURS, err);
        if (r >= 0)
                r = store->layers = place_dir(store->fd, "layers", 0700, PLACE_OURS, err);
        if (r >= 0)
                r = store->fresh = place_dir(store->fd, "new", 0700, PLACE_OURS, err);
        if (r >= 0)
                r = store->gone = place_dir(store->fd, "gone", 0700, PLACE_OURS, err);
        if (r >= 0)
                r = store_drop_all(store, err);
        if (r < 0) {
                store_free(store);
                return error_add(err, r, "open the store");
        }
        *ret = store;
        return 0;
}

Store *store_free(Store *store) {
        Job *job;

        while (store && (job = store->jobs)) {
                siginfo_t info;

                store->jobs = job->next;
                (void) syscall(SYS_pidfd_send_signal, job->pidfd, SIGKILL, NULL, 0);
                (void) waitid(P_PIDFD, (id_t) job->pidfd, &info, WEXITED);
                job_free(job);
        }
        if (store)
                fds_close((int[]){ store->gone, store->fresh, store->layers, store->fd }, 4);
        free(store);
        return NULL;
}

bool store_is_busy(const Store *store) {
        return store->jobs != NULL;
}

int store_fd(const Store *store) {
        return store->fd;
}

/* A single component that is hex digits or a word of ours cannot leave the directory; a link is refused. */
static int open_layer(int at, const char *name, const char *what, Error *err) {
        int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? error_set(err, -errno, "open %s %s", what, name) : fd;
}

int store_open(const Store *store, const uint8_t *digest, Error *err) {
        char name[LAYER_NAME_SIZE];

        return open_layer(store->layers, layer_name(digest, name), "layer", err);
}

int store_open_new(const Store *store, uint64_t handle, Error *err) {
        char name[LAYER_NAME_SIZE];

        return open_layer(store->fresh, layer_name_new(handle, name), "new layer", err);
}

int store_open_skeleton(const Store *store, Error *err) {
        return open_layer(store->fd, "skeleton", "the host root's", err);
}

int store_make(Store *store, uint64_t handle, uint32_t id, Error *err) {
        char name[LAYER_NAME_SIZE];
        autoclose int fd = -EBADF;
        int r;

        if (mkdirat(store->fresh, layer_name_new(handle, name), 0755) < 0)
                return error_set(err, -errno, "make new layer %s", name);
        fd = openat(store->fresh, name, DIR_FLAGS);
        if (fd >= 0 && fchown(fd, id, id) == 0 && fchmod(fd, 0755) == 0)
                return 0;
        r = error_set(err, -errno, "hand new layer %s to the store range", name);
        (void) unlinkat(store->fresh, name, AT_REMOVEDIR); /* empty, and nobody knows it */
        return r;
}

static int forget(Store *store, int at, const char *name, Error *err) {
        int r = gone_take(store->gone, at, name);

        return r < 0 ? error_set(err, r, "forget layer %s", name) : job_start(store, NULL, err);
}

int store_drop(Store *store, uint64_t handle, Error *err) {
        char name[LAYER_NAME_SIZE];

        return forget(store, store->fresh, layer_name_new(handle, name), err);
}

int store_remove(Store *store, const uint8_t *digest, Error *err) {
        char name[LAYER_NAME_SIZE];

        return forget(store, store->layers, layer_name(digest, name), err);
}

int store_drop_all(Store *store, Error *err) {
        int r;

        for (Job *job = store->jobs; job; job = job->next)
                job->commit.done = NULL; /* who asked is gone */
        r = gone_take_all(store->gone, store->fresh);
        return r < 0 ? error_set(err, r, "forget the new layers") : job_start(store, NULL, err);
}

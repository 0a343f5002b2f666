/*
 * store: the jobs on the store (sandbox/store-dirs.c). What takes long (a layer is flushed and appears, a disk is
 * made, what is gone is taken apart) is done by a child of ours; after a crash the next start goes on.
 */
#include "supervisor/monitor/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fds.h"
#include "base/links.h"
#include "sandbox/gone.h"

typedef struct Job Job;

struct Job { /* a child of ours that works on the disk */
        Job *next, **at;
        Store *store;            /* borrowed */
        int pidfd;               /* owned */
        sd_event_source *source; /* owned */
        StoreJob what;
};

struct Store {
        Monitor *monitor; /* borrowed, outlives us */
        StoreDirs dirs;   /* owned */
        Job *jobs;        /* owned list */
        bool more_gone;   /* something came to gone/ while its job ran */
        bool leaves_gone; /* store_leave_gone() */
};

static const char *const job_words[] = { "gone", "commit", "disk" }; /* by kind, in ps */
static const StoreJob emptying = { .kind = STORE_JOB_EMPTY };
static int job_start(Store *store, const StoreJob *what, Error *err);

static int carry_out(const StoreDirs *dirs, const StoreJob *what) {
        if (what->kind == STORE_JOB_COMMIT)
                return store_dirs_commit(dirs, what->handle, what->digest);
        return what->kind == STORE_JOB_DISK ? disk_make(dirs->disks, &what->disk)
                                            : gone_empty(dirs->gone);
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
        if (code < 0 && job->what.kind == STORE_JOB_COMMIT && /* killed, say: it left its layer */
            store_dirs_hold_back(&store->dirs, job->what.handle, false, NULL) == 0)
                (void) store_drop(store, job->what.handle, NULL);
        LINK_OUT(job, next, at);
        if (job->what.done)
                job->what.done(store->monitor, job->what.cookie, code);
        else if (job->what.kind == STORE_JOB_DISK &&
                 code != -EEXIST) /* who asked is gone: nobody's */
                (void) store_disk_remove(store, job->what.disk.disk, NULL);
        if (job->what.kind == STORE_JOB_EMPTY && store->more_gone)
                (void) job_start(store, &emptying, NULL);
        job_free(job);
        monitor_step(store->monitor);
        return 0;
}

/* One step: a child that cannot be watched must not have begun. */
static int clone_job(Job *job, int end) {
        pid_t self = getpid();
        long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &job->pidfd, NULL, 0);

        if (pid != 0)
                return pid < 0 ? -errno : 0;
        store_dirs_alone(&job->store->dirs, self, end, job_words[job->what.kind]);
        _exit(-carry_out(&job->store->dirs, &job->what) & 0xff); /* or the next start goes on */
}

/*
 * Of those that empty gone/, one at a time is enough. Its end is seen at a pipe of which it has the other end, and
 * which is watched before there is a child.
 */
static int job_start(Store *store, const StoreJob *what, Error *err) {
        bool empties = what->kind == STORE_JOB_EMPTY;
        int ends[2] = { -EBADF, -EBADF }, r;
        Job *job;

        if (empties && store->leaves_gone)
                return 0;
        for (job = store->jobs; job && empties; job = job->next)
                if (job->what.kind == STORE_JOB_EMPTY) {
                        store->more_gone = true;
                        return 0;
                }
        job = calloc(1, sizeof *job);
        if (!job)
                return error_set(err, -ENOMEM, "start a job on the store");
        *job = (Job){ .store = store, .pidfd = -EBADF, .what = *what };
        store->more_gone &= !empties;
        r = pipe2(ends, O_CLOEXEC) < 0 ? -errno
                                       : sd_event_add_io(store->monitor->event, &job->source,
                                                         ends[0], EPOLLIN, on_job_end, job);
        if (r >= 0)
                r = clone_job(job, ends[1]);
        fds_close(&ends[1], 1);
        if (r < 0) {
                job_free(job);
                fds_close(ends, 1);
                return error_set(err, r, "start a job on the store");
        }
        (void) sd_event_source_set_io_fd_own(job->source, true);
        (void) sd_event_source_set_description(job->source, "job of the store");
        LINK_IN(store->jobs, job, next, at);
        return 0;
}

/* The name changes first: from here on no jail can be given the layer, and none commits it twice. */
int store_commit(Store *store, const StoreJob *what, Error *err) {
        int r = store_dirs_hold_back(&store->dirs, what->handle, true, err);

        if (r < 0)
                return r;
        r = job_start(store, what, err);
        if (r < 0) /* it is the front's again, to drop or to commit */
                (void) store_dirs_hold_back(&store->dirs, what->handle, false, NULL);
        return r;
}

int store_disk_make(Store *store, const StoreJob *what, Error *err) {
        return job_start(store, what, err);
}

int store_new(Monitor *monitor, int state_fd, Store **ret, Error *err) {
        Store *store = calloc(1, sizeof *store);
        int r;

        if (!store)
                return error_set(err, -ENOMEM, "open the store");
        *store = (Store){ .monitor = monitor, .dirs = STORE_DIRS_EMPTY };
        r = store_dirs_open(&store->dirs, state_fd, err);
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
                LINK_OUT(job, next, at);
                (void) syscall(SYS_pidfd_send_signal, job->pidfd, SIGKILL, NULL, 0);
                (void) waitid(P_PIDFD, (id_t) job->pidfd, NULL, WEXITED);
                job_free(job);
        }
        if (store)
                store_dirs_close(&store->dirs);
        free(store);
        return NULL;
}

bool store_leave_gone(Store *store) {
        bool did = store->leaves_gone;

        store->leaves_gone = true; /* and job_start() starts none any more */
        for (Job *job = store->jobs; job; job = job->next)
                if (job->what.kind == STORE_JOB_EMPTY)
                        (void) syscall(SYS_pidfd_send_signal, job->pidfd, SIGKILL, NULL, 0);
        return !did;
}

bool store_is_busy(const Store *store) {
        return store->jobs != NULL;
}

const StoreDirs *store_dirs(const Store *store) {
        return &store->dirs;
}

static int empty(Store *store, int r, Error *err) {
        return r < 0 ? r : job_start(store, &emptying, err);
}

int store_drop(Store *store, uint64_t handle, Error *err) {
        return empty(store, store_dirs_forget_new(&store->dirs, handle, err), err);
}

int store_remove(Store *store, const uint8_t *digest, Error *err) {
        return empty(store, store_dirs_forget(&store->dirs, digest, err), err);
}

int store_disk_remove(Store *store, uint64_t disk, Error *err) {
        return empty(store, store_dirs_forget_disk(&store->dirs, disk, err), err);
}

int store_drop_all(Store *store, Error *err) {
        int r;

        for (Job *job = store->jobs; job; job = job->next)
                job->what.done = NULL; /* who asked is gone */
        r = gone_take_all(store->dirs.gone, store->dirs.fresh);
        return r < 0 ? error_set(err, r, "forget the new layers")
                     : job_start(store, &emptying, err);
}

/*
 * closer: see closer.h.
 *
 * The loop owns all state. A thread gets one job, closes its descriptor, marks the job done and wakes the
 * loop, which joins it (it has nothing left to do then) and gives the next job to a fresh thread. So a
 * thread and the loop share a flag and an eventfd, no lock.
 *
 * LIMIT: a process whose thread waits in the kernel is not gone until that wait ends: a front that stops
 * meanwhile closes its connections and its ledger, and is a zombie until the file's server answers or dies;
 * the monitor does not wait for that. One that crashes meanwhile keeps all its descriptors, the ledger's lock
 * too, so the next front starts when that server has ended.
 */
#include "supervisor/front/closer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/client-fds.h"

#define STACK_BYTES (128 * 1024) /* a thread calls close(2) and write(2) */
#define OF_JAIL     (UINT64_C(1) << 32)
#define AGAIN_USEC \
        (UINT64_C(100) * 1000) /* until a thread is asked for again where none could be made */

typedef struct Job {
        pthread_t thread;
        int fd;   /* owned by the thread */
        int wake; /* borrowed from Closer */
        uint64_t who;
        bool is_running;
        atomic_bool is_done;
} Job;

typedef struct Unclosed {
        int fd;       /* owned */
        uint64_t who; /* user id, and OF_JAIL */
} Unclosed;

struct Closer {
        sd_event_source *io; /* owned */
        sd_event_source
                *again; /* owned: a timer, on while what waits has no thread to wake the loop */
        int wake;       /* owned: an eventfd */
        Job jobs[CLOSER_THREADS];
        Unclosed waiting[CLOSER_ALL]; /* oldest first */
        unsigned n_waiting;
};

/* The whole work of a thread. Syscalls: close, write, exit. */
static void *close_one(void *userdata) {
        static const uint64_t one = 1;
        Job *job = userdata;

        (void) close(job->fd);
        atomic_store(&job->is_done, true);
        while (write(job->wake, &one, sizeof one) < 0 && errno == EINTR)
                ;
        return NULL;
}

/* With all signals blocked: they are the loop's. Returns: 0 or a positive errno. */
static int start_thread(Job *job) {
        pthread_attr_t attr;
        sigset_t all, before;
        int r = pthread_attr_init(&attr);

        if (r != 0)
                return r;
        (void) sigfillset(&all);
        r = pthread_attr_setstacksize(&attr, STACK_BYTES);
        if (r == 0)
                r = pthread_sigmask(SIG_SETMASK, &all, &before);
        if (r == 0) {
                r = pthread_create(&job->thread, &attr, close_one, job);
                (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        }
        (void) pthread_attr_destroy(&attr);
        return r;
}

/* A job that may have a thread of this user's now, NULL where all are taken: its jails' are its own here. */
static Job *free_job(Closer *closer, uint64_t who) {
        Job *job = NULL;
        unsigned own = 0;

        for (unsigned i = 0; i < CLOSER_THREADS; i++) {
                if (!closer->jobs[i].is_running)
                        job = &closer->jobs[i];
                else
                        own += (uint32_t) closer->jobs[i].who == (uint32_t) who;
        }
        return own < CLOSER_THREADS_PER_UID ? job : NULL;
}

static bool start_job(Closer *closer, const Unclosed *what) {
        Job *job = free_job(closer, what->who);

        if (!job)
                return false;
        job->fd = what->fd;
        job->who = what->who;
        job->wake = closer->wake;
        atomic_store(&job->is_done, false);
        job->is_running = start_thread(job) == 0;
        return job->is_running;
}

/* Where a thread runs, its end wakes the loop; where none could be made, only time does. */
static void come_again(Closer *closer) {
        for (unsigned i = 0; i < CLOSER_THREADS; i++)
                if (closer->jobs[i].is_running)
                        return;
        (void) sd_event_source_set_time_relative(closer->again, AGAIN_USEC);
        (void) sd_event_source_set_enabled(closer->again, SD_EVENT_ONESHOT);
}

/* Those whose users have a thread left; the rest keep their order. */
static void start_waiting(Closer *closer) {
        unsigned kept = 0;

        for (unsigned i = 0; i < closer->n_waiting; i++)
                if (!start_job(closer, &closer->waiting[i]))
                        closer->waiting[kept++] = closer->waiting[i];
        closer->n_waiting = kept;
        if (kept > 0)
                come_again(closer);
}

static void join_done(Closer *closer) {
        for (unsigned i = 0; i < CLOSER_THREADS; i++) {
                Job *job = &closer->jobs[i];

                if (!job->is_running || !atomic_load(&job->is_done))
                        continue;
                (void) pthread_join(job->thread, NULL);
                job->is_running = false;
        }
}

static int on_wake(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Closer *closer = userdata;
        uint64_t count;

        (void) source;
        (void) revents;
        if (read(fd, &count, sizeof count) < 0) /* empty: what it would say is looked at anyway */
                count = 0;
        join_done(closer);
        start_waiting(closer);
        return 0;
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        start_waiting(userdata);
        return 0;
}

/* A socket beyond all bounds stays open: a descriptor lost is less than a loop that waits. */
static void take(Closer *closer, uint64_t who, int fd) {
        char text[16];

        if (closer->n_waiting == CLOSER_ALL) {
                (void) snprintf(text, sizeof text, "%u", (uint32_t) who);
                log_event(LOG_ERR, "a connection cannot be closed, as too many wait for that",
                          F("UID", text));
                return;
        }
        closer->waiting[closer->n_waiting++] = (Unclosed){ fd, who };
        join_done(closer);
        start_waiting(closer);
}

int closer_new(sd_event *event, Closer **ret, Error *err) {
        SCOPED(closer_free) Closer *closer = calloc(1, sizeof(Closer));
        int r;

        if (!closer)
                return error_set(err, -ENOMEM, "make the closer");
        closer->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (closer->wake < 0)
                return error_set(err, -errno, "make the closer");
        r = sd_event_add_io(event, &closer->io, closer->wake, EPOLLIN, on_wake, closer);
        if (r >= 0)
                r = sd_event_source_set_description(closer->io, "closer");
        if (r >= 0)
                r = sd_event_add_time_relative(event, &closer->again, CLOCK_MONOTONIC, AGAIN_USEC,
                                               0, on_again, closer);
        if (r >= 0)
                r = sd_event_source_set_enabled(closer->again, SD_EVENT_OFF);
        if (r < 0)
                return error_set(err, r, "watch the closer");
        *ret = TAKE_PTR(closer);
        return 0;
}

Closer *closer_free(Closer *closer) {
        if (!closer)
                return NULL;
        closer->io = sd_event_source_disable_unref(closer->io);
        closer->again = sd_event_source_disable_unref(closer->again);
        join_done(closer);
        for (unsigned i = 0; i < CLOSER_THREADS; i++)
                if (closer->jobs[i].is_running)
                        return NULL; /* its thread still writes there: the process's end frees it */
        owned_close(&closer->wake);
        free(closer);
        return NULL;
}

/*
 * Once nothing more can be sent to it, an empty queue stays empty, and closing the socket is all that a
 * close does. What lies in a queue is released with it, by whoever closes; the peer sees the end at once.
 */
static void release_socket(Closer *closer, uint64_t who, int fd) {
        char byte;

        if (recv(fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) > 0)
                take(closer, who, fd);
        else
                (void) close(fd);
}

static void close_socket(Closer *closer, uint64_t who, int fd) {
        (void) shutdown(fd, SHUT_RDWR);
        release_socket(closer, who, fd);
}

/* Where the connection was closed before, nothing can have come since; where it was not, this is not the last. */
void closer_release_socket(Closer *closer, uint32_t uid, int fd) {
        release_socket(closer, uid, fd);
}

void closer_close_socket(Closer *closer, uint32_t uid, int fd) {
        close_socket(closer, uid, fd);
}

static bool has_room(const Closer *closer, uint64_t who) {
        unsigned own = 0;

        for (unsigned i = 0; i < CLOSER_THREADS; i++)
                own += closer->jobs[i].is_running && closer->jobs[i].who == who;
        for (unsigned i = 0; i < closer->n_waiting; i++)
                own += closer->waiting[i].who == who;
        return own < CLOSER_PER_UID && closer->n_waiting < CLOSER_ALL - FDS_ROOM;
}

bool closer_has_room(const Closer *closer, uint32_t uid) {
        return has_room(closer, uid);
}

static bool door_is_open(void *userdata, uint64_t who) {
        return has_room(userdata, who);
}

static int door_admit(void *userdata, uint64_t who, int fd) {
        if (fd < 0 || client_fd_never_waits(fd))
                return fd;
        take(userdata, who, fd);
        return -EBADF;
}

static void door_close(void *userdata, uint64_t who, int fd) {
        close_socket(userdata, who, fd);
}

void closer_door(Closer *closer, uint32_t uid, RpcDoor *ret) {
        *ret = (RpcDoor){ door_is_open, door_admit, door_close, closer, uid };
}

void closer_jail_door(Closer *closer, uint32_t uid, RpcDoor *ret) {
        *ret = (RpcDoor){ door_is_open, door_admit, door_close, closer, uid | OF_JAIL };
}

/*
 * closer: see closer.h.
 *
 * The loop owns all state. A child that shares our descriptors, and nothing else, closes one and ends; the loop
 * hears of that by its pidfd and gives the next one to a fresh child.
 *
 * Why no thread: a process is not gone until its last thread is, and one that waits in the kernel does not end.
 * The monitor would not hear of the death of a front that crashes meanwhile. A child that waits does keep all
 * our descriptors, the lock of the ledger too: so the monitor tells the next front that this lock is nobody's
 * (FrontInfo.stale_lock), and clients of a front that crashed wait until the file's server answers or dies. One
 * that stops closes its connections and its ledger before.
 */
#include "supervisor/front/closer.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/client-fds.h"

#define OF_JAIL (UINT64_C(1) << 32)
#define AGAIN_USEC \
        (UINT64_C(100) * 1000) /* until a child is asked for again where none could be made */

typedef struct Job {
        Closer *closer;         /* borrowed, owns us */
        sd_event_source *death; /* owned, with its pidfd; NULL: no child */
        uint64_t who;
} Job;

typedef struct Unclosed {
        int fd;       /* owned */
        uint64_t who; /* user id, and OF_JAIL */
} Unclosed;

struct Closer {
        sd_event *event; /* borrowed from Front, outlives us */
        sd_event_source
                *again; /* owned: a timer, on while what waits has no child to wake the loop */
        Job jobs[CLOSER_CHILDREN];
        Unclosed waiting[CLOSER_ALL]; /* oldest first */
        unsigned n_waiting;
};

/*
 * The whole work of a child. It is no thread of ours, so a SIGKILL of the front does not reach it: its death signal
 * does, as soon as the kernel lets it. Syscalls: prctl, close, exit_group.
 */
_Noreturn static void close_one(int fd) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) close(fd);
        _exit(0);
}

static void start_waiting(Closer *closer);

static int on_death(sd_event_source *source, int pidfd, uint32_t events, void *userdata) {
        Job *job = userdata;
        siginfo_t info = { .si_pid = 0 };

        (void) events;
        if (waitid(P_PIDFD, (id_t) pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
                return 0;
        job->death = sd_event_source_disable_unref(source);
        start_waiting(job->closer);
        return 0;
}

/*
 * As fork(2), but for the descriptors. Where it cannot be watched it is waited for by nobody: it has what it is to
 * close, and the kernel reaps it after us.
 */
static int start_child(Job *job, int fd) {
        int pidfd = -EBADF, r;
        long pid = syscall(SYS_clone, CLONE_FILES | CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);

        if (pid == 0)
                close_one(fd);
        if (pid < 0)
                return -errno;
        r = sd_event_add_io(job->closer->event, &job->death, pidfd, EPOLLIN, on_death, job);
        if (r < 0) {
                (void) close(pidfd);
                log_event(LOG_ERR, "a closing child is not watched");
                return 0;
        }
        (void) sd_event_source_set_io_fd_own(job->death, true);
        (void) sd_event_source_set_description(job->death, "closer");
        return 0;
}

/* A job that may have a child of this user's now, NULL where all are taken: its jails' are its own here. */
static Job *free_job(Closer *closer, uint64_t who) {
        Job *job = NULL;
        unsigned own = 0;

        for (unsigned i = 0; i < CLOSER_CHILDREN; i++) {
                if (!closer->jobs[i].death)
                        job = &closer->jobs[i];
                else
                        own += (uint32_t) closer->jobs[i].who == (uint32_t) who;
        }
        return own < CLOSER_CHILDREN_PER_UID ? job : NULL;
}

static bool start_job(Closer *closer, const Unclosed *what) {
        Job *job = free_job(closer, what->who);

        if (!job)
                return false;
        job->closer = closer;
        job->who = what->who;
        return start_child(job, what->fd) == 0;
}

/* Where a child runs, its end wakes the loop; where none could be made, only time does. */
static void come_again(Closer *closer) {
        for (unsigned i = 0; i < CLOSER_CHILDREN; i++)
                if (closer->jobs[i].death)
                        return;
        (void) sd_event_source_set_time_relative(closer->again, AGAIN_USEC);
        (void) sd_event_source_set_enabled(closer->again, SD_EVENT_ONESHOT);
}

/* Those whose users have a child left; the rest keep their order. */
static void start_waiting(Closer *closer) {
        unsigned kept = 0;

        for (unsigned i = 0; i < closer->n_waiting; i++)
                if (!start_job(closer, &closer->waiting[i]))
                        closer->waiting[kept++] = closer->waiting[i];
        closer->n_waiting = kept;
        if (kept > 0)
                come_again(closer);
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
        start_waiting(closer);
}

int closer_new(sd_event *event, Closer **ret, Error *err) {
        SCOPED(closer_free) Closer *closer = calloc(1, sizeof(Closer));
        int r;

        if (!closer)
                return error_set(err, -ENOMEM, "make the closer");
        closer->event = event;
        r = sd_event_add_time_relative(event, &closer->again, CLOCK_MONOTONIC, AGAIN_USEC, 0,
                                       on_again, closer);
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
        closer->again = sd_event_source_disable_unref(closer->again);
        for (unsigned i = 0; i < CLOSER_CHILDREN; i++)
                closer->jobs[i].death = sd_event_source_disable_unref(closer->jobs[i].death);
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

        for (unsigned i = 0; i < CLOSER_CHILDREN; i++)
                own += closer->jobs[i].death && closer->jobs[i].who == who;
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

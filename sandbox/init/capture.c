/*
 * capture: see capture.h.
 */
#include "sandbox/init/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"

#define CHUNK    65536u
#define HEAD_MIN 4096u
#define LAST_ROOM \
        (128 *    \
         1024) /* of a pipe that gets the last words: what it has, and what a terminal holds */

void capture_start(Capture *capture, int fd, uint64_t keep) {
        *capture = CAPTURE_EMPTY;
        capture->fd = fd;
        capture->used = true;
        capture->keep = (size_t) keep;
}

/* Keeps as much of @bytes as the head still takes. Returns: how many. */
static size_t to_head(Capture *capture, const char *bytes, size_t n) {
        size_t max = capture->keep - capture->keep / 2, cap = capture->head_cap;
        char *grown;

        if (n > max - capture->head_n)
                n = max - capture->head_n;
        while (cap < capture->head_n + n)
                cap = cap ? cap * 2 : HEAD_MIN;
        cap = cap > max ? max : cap;
        if (cap > capture->head_cap) {
                grown = realloc(capture->head, cap);
                if (!grown)
                        return 0;
                capture->head = grown;
                capture->head_cap = cap;
        }
        if (n > 0)
                memcpy(capture->head + capture->head_n, bytes, n);
        capture->head_n += n;
        return n;
}

static void to_ring(Capture *capture, const char *bytes, size_t n) {
        size_t cap = capture->keep / 2, first;

        if (cap == 0 || n == 0)
                return;
        if (!capture->ring)
                capture->ring = malloc(cap);
        if (!capture->ring)
                return;
        if (n > cap) {
                bytes += n - cap;
                n = cap;
        }
        first = n < cap - capture->ring_at ? n : cap - capture->ring_at;
        memcpy(capture->ring + capture->ring_at, bytes, first);
        memcpy(capture->ring, bytes + first, n - first);
        capture->ring_at = (capture->ring_at + n) % cap;
        capture->ring_n = capture->ring_n + n < cap ? capture->ring_n + n : cap;
}

/* A reader that is behind is told so by the end of its pipe; part of the bytes is no loss, it counts them. */
static void to_followers(Capture *capture, const char *bytes, size_t n) {
        unsigned i;

        for (i = 0; i < CAPTURE_FOLLOWERS_MAX; i++)
                if (capture->followers[i] >= 0 &&
                    write(capture->followers[i], bytes, n) != (ssize_t) n)
                        fds_close(&capture->followers[i], 1);
}

static int pace_fd(const Capture *capture) {
        return capture->pace < CAPTURE_FOLLOWERS_MAX ? capture->followers[capture->pace] : -EBADF;
}

/* A pipe that can be written takes PIPE_BUF bytes whole; one that nobody reads says so when it is written */
static bool must_wait(const Capture *capture) {
        struct pollfd room = { .fd = pace_fd(capture), .events = POLLOUT };

        return room.fd >= 0 && poll(&room, 1, 0) == 0;
}

void capture_wait(const Capture *capture, int *ret_fd, short *ret_events) {
        bool waits = capture->fd >= 0 && must_wait(capture);

        *ret_fd = waits ? pace_fd(capture) : capture->fd;
        *ret_events = waits ? POLLOUT : POLLIN;
}

void capture_hurry(Capture *capture) {
        if (pace_fd(capture) >=
            0) /* LIMIT: where the kernel grants no room they are among what is kept */
                (void) fcntl(pace_fd(capture), F_SETPIPE_SZ, LAST_ROOM);
        capture->pace = CAPTURE_FOLLOWERS_MAX;
}

/* How much may be read at once; 0: nothing now */
static size_t most_now(const Capture *capture, uint64_t max) {
        size_t most = max < CHUNK ? (size_t) max : CHUNK;

        if (pace_fd(capture) < 0)
                return most;
        return must_wait(capture) ? 0 : most < PIPE_BUF ? most : PIPE_BUF;
}

int capture_read(Capture *capture, uint64_t max) {
        static char chunk[CHUNK];
        size_t used, most;
        ssize_t n;

        while (capture->fd >= 0 && (most = most_now(capture, max)) > 0) {
                n = read(capture->fd, chunk, most);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return 0;
                if (n <= 0) {
                        fds_close(&capture->fd, 1);
                        return 0;
                }
                capture->seen += (uint64_t) n;
                max -= (uint64_t) n;
                to_followers(capture, chunk, (size_t) n);
                used = to_head(capture, chunk, (size_t) n);
                to_ring(capture, chunk + used, (size_t) n - used);
        }
        return 0;
}

static int write_kept(const Capture *capture, int fd) {
        size_t cap = capture->keep / 2, old = capture->ring_n == cap ? capture->ring_at : 0;
        int r = fd_write_all(fd, capture->head, capture->head_n);

        if (r == 0 && capture->ring_n > 0)
                r = fd_write_all(fd, capture->ring + old, capture->ring_n - old);
        if (r == 0 && old > 0)
                r = fd_write_all(fd, capture->ring, old);
        return r;
}

static int hand_over(const Capture *capture) {
        autoclose int fd = memfd_new("output", false, NULL);
        int r = fd < 0 ? fd : write_kept(capture, fd);

        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        r = memfd_add_seals(fd);
        return r < 0 ? r : TAKE_FD(fd);
}

int capture_copy(const Capture *capture, uint64_t *ret_kept, uint64_t *ret_cut_at) {
        uint64_t kept = capture->head_n + capture->ring_n;
        int fd = hand_over(capture);

        *ret_kept = fd < 0 ? 0 : kept;
        *ret_cut_at = capture->seen > kept ? capture->head_n : kept;
        return fd;
}

/* One that reads no more is closed when something comes; who asks for its place looks */
static void close_deserted(Capture *capture) {
        unsigned i;

        for (i = 0; i < CAPTURE_FOLLOWERS_MAX; i++) {
                struct pollfd reader = { .fd = capture->followers[i] };

                if (reader.fd >= 0 && poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR))
                        fds_close(&capture->followers[i], 1);
        }
}

int capture_follow(Capture *capture, bool sets_pace) {
        int ends[2], r;
        unsigned i;

        close_deserted(capture);
        for (i = 0; i < CAPTURE_FOLLOWERS_MAX && capture->followers[i] >= 0; i++)
                ;
        if (i == CAPTURE_FOLLOWERS_MAX)
                return -EBUSY;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        r = fd_set_nonblock(ends[1], true);
        if (r < 0) {
                fds_close(ends, 2);
                return r;
        }
        capture->followers[i] = ends[1];
        if (sets_pace)
                capture->pace = i;
        else if (capture->pace == i) /* who set it is gone, and this is its place */
                capture->pace = CAPTURE_FOLLOWERS_MAX;
        return ends[0];
}

int capture_end(Capture *capture, uint64_t *ret_kept, uint64_t *ret_cut_at) {
        int fd = capture_copy(capture, ret_kept, ret_cut_at);

        fds_close(capture->followers, CAPTURE_FOLLOWERS_MAX);
        fds_close(&capture->fd, 1);
        free(capture->head);
        free(capture->ring);
        *capture = CAPTURE_EMPTY;
        return fd;
}

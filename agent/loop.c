/*
 * loop: curl_multi by its socket interface. libcurl says which sockets it wants watched for what
 * (watch_socket) and when it wants to be called without an event (set_timer); the loop holds both beside
 * the task socket and calls curl_multi_socket_action() for each that is ready.
 *
 * Rejected: curl_multi_poll() (its own poll, without a signal mask) and a thread for transfers.
 */
#include "agent/loop.h"

#include <poll.h>

#include "base/units.h"

#define LOOP_SOCKETS_MAX 16

struct Loop {
        Link *link;                              /* borrowed */
        CURLM *multi;                            /* owned; NULL before the first transfer */
        struct pollfd fds[1 + LOOP_SOCKETS_MAX]; /* [0] is the task socket */
        unsigned n;
        uint64_t deadline; /* monotonic microseconds; UINT64_MAX: none */
};

int loop_new(Link *link, Loop **ret_loop) {
        Loop *loop = calloc(1, sizeof(*loop));

        if (!loop)
                return -ENOMEM;
        loop->link = link;
        loop->fds[0] = (struct pollfd){ .fd = link_fd(link), .events = POLLIN };
        loop->n = 1;
        loop->deadline = UINT64_MAX;
        *ret_loop = loop;
        return 0;
}

Loop *loop_free(Loop *loop) {
        if (loop && loop->multi) {
                curl_multi_cleanup(loop->multi);
                curl_global_cleanup();
        }
        free(loop);
        return NULL;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *unused) {
        Loop *loop = userdata;
        unsigned i = 1;

        (void) easy;
        (void) unused;
        while (i < loop->n && loop->fds[i].fd != fd)
                i++;
        if (what == CURL_POLL_REMOVE) {
                if (i < loop->n)
                        loop->fds[i] = loop->fds[--loop->n];
                return 0;
        }
        if (i == loop->n) {
                if (loop->n == ELEMENTS(loop->fds))
                        return -1;
                loop->n++;
        }
        loop->fds[i] = (struct pollfd){
                .fd = fd,
                .events = (short) ((what & CURL_POLL_IN ? POLLIN : 0) |
                                   (what & CURL_POLL_OUT ? POLLOUT : 0)),
        };
        return 0;
}

static int set_timer(CURLM *multi, long milliseconds, void *userdata) {
        Loop *loop = userdata;

        (void) multi;
        loop->deadline =
                milliseconds < 0 ? UINT64_MAX : units_monotonic() + (uint64_t) milliseconds * 1000;
        return 0;
}

int loop_start_curl(Loop *loop, Error *err) {
        if (loop->multi)
                return 0;
        if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
                return error_say(err, -EIO, "libcurl does not start");
        loop->multi = curl_multi_init();
        if (!loop->multi) {
                curl_global_cleanup();
                return error_set(err, -ENOMEM, "start libcurl");
        }
        (void) curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
        (void) curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
        (void) curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, set_timer);
        (void) curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
        return 0;
}

static void act(Loop *loop, curl_socket_t fd, int what) {
        int running;

        (void) curl_multi_socket_action(loop->multi, fd, what, &running);
}

int loop_add(Loop *loop, CURL *easy, Error *err) {
        int r = loop_start_curl(loop, err);

        if (r < 0)
                return r;
        if (curl_multi_add_handle(loop->multi, easy) != CURLM_OK)
                return error_say(err, -EIO, "libcurl does not take the request");
        act(loop, CURL_SOCKET_TIMEOUT, 0);
        return 0;
}

void loop_remove(Loop *loop, CURL *easy) {
        if (loop->multi)
                (void) curl_multi_remove_handle(loop->multi, easy);
}

static struct timespec until(uint64_t deadline) {
        uint64_t now = units_monotonic(), usec = deadline > now ? deadline - now : 0;

        return (struct timespec){ .tv_sec = (time_t) (usec / 1000000),
                                  .tv_nsec = (long) (usec % 1000000) * 1000 };
}

static void dispatch(Loop *loop) {
        struct pollfd ready[ELEMENTS(loop->fds)];
        unsigned n = loop->n;

        /* watch_socket() changes loop->fds meanwhile */
        for (unsigned i = 0; i < n; i++)
                ready[i] = loop->fds[i];
        for (unsigned i = 1; i < n; i++) {
                int what = (ready[i].revents & POLLIN ? CURL_CSELECT_IN : 0) |
                           (ready[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
                           (ready[i].revents & (POLLERR | POLLHUP) ? CURL_CSELECT_ERR : 0);

                if (what)
                        act(loop, ready[i].fd, what);
        }
        if (loop->multi && loop->deadline <= units_monotonic()) {
                loop->deadline = UINT64_MAX;
                act(loop, CURL_SOCKET_TIMEOUT, 0);
        }
}

/* One wait, until something happens or @deadline. */
static int turn(Loop *loop, uint64_t deadline, Error *err) {
        uint64_t first = deadline < loop->deadline ? deadline : loop->deadline;
        struct timespec wait = until(first);
        int r;

        r = ppoll(loop->fds, loop->n, first == UINT64_MAX ? NULL : &wait, NULL);
        if (r < 0)
                return errno == EINTR ? 0 : error_set(err, -errno, "wait");
        if (loop->fds[0].revents) {
                r = link_idle(loop->link, err);
                if (r < 0)
                        return r;
        }
        dispatch(loop);
        return 0;
}

/* Has this transfer ended? libcurl gives each message once; there is one transfer at a time. */
static bool has_ended(Loop *loop, const CURL *easy, CURLcode *ret_code) {
        const CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(loop->multi, &left)))
                if (message->msg == CURLMSG_DONE && message->easy_handle == easy) {
                        *ret_code = message->data.result;
                        return true;
                }
        return false;
}

int loop_wait(Loop *loop, CURL *easy, CURLcode *ret_code, Error *err) {
        int r = 0;

        while (r >= 0 && !has_ended(loop, easy, ret_code))
                r = turn(loop, UINT64_MAX, err);
        loop_remove(loop, easy);
        return r;
}

int loop_sleep(Loop *loop, uint64_t usec, Error *err) {
        uint64_t deadline = units_monotonic() + usec;
        int r = 0;

        while (r >= 0 && units_monotonic() < deadline)
                r = turn(loop, deadline, err);
        return r;
}

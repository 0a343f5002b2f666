/*
 * loop: curl_multi by its socket interface. libcurl says which sockets it wants watched for what
 * (watch_socket) and when it wants to be called without an event (set_timer); the loop holds both beside
 * the task socket and calls curl_multi_socket_action() for each that is ready.
 *
 * Who waits says for what by a function that is asked after each event: with LOOP_STRANDS_MAX strands that
 * costs less than lists of who waits for which descriptor, and nothing can be forgotten to be woken.
 *
 * Rejected: curl_multi_poll() (its own poll, without a signal mask) and a thread for transfers.
 */
#include "agent/loop.h"

#include <poll.h>

#include "base/units.h"

#define LOOP_SOCKETS_MAX 64

/* Who can wait: the main flow (which has no fiber) and the strands. */
struct Strand {
        Fiber *fiber; /* owned */
        LoopReadyFn ready;
        const void *userdata; /* borrowed, for ready */
        uint64_t until;       /* of this wait; monotonic microseconds */
        uint64_t limit;       /* of all its waits */
        bool patient;         /* this wait keeps no limit and is not cancelled */
        bool deaf;            /* nor does it hear that the supervisor is gone */
        bool cancelled;
        bool shielded; /* all its waits are patient */
        bool spared;   /* to be cancelled is nothing to it */
};

struct Loop {
        Link *link;                              /* borrowed */
        CURLM *multi;                            /* owned; NULL before the first transfer */
        struct pollfd fds[1 + LOOP_SOCKETS_MAX]; /* [0] is the task socket */
        unsigned n;
        unsigned n_transfers;
        uint64_t deadline; /* libcurl's; monotonic microseconds; UINT64_MAX: none */
        Strand main;
        Strand *strands[LOOP_STRANDS_MAX]; /* borrowed from their spawners */
        unsigned n_strands;
        Strand *current; /* who runs */
        Error broken;    /* code set: no wait succeeds any more */
};

static int wait_link(LoopReadyFn ready, const void *userdata, bool whole, void *loop, Error *err) {
        return whole ? loop_finish(loop, ready, userdata, err)
                     : loop_until(loop, ready, userdata, err);
}

int loop_new(Link *link, Loop **ret_loop) {
        Loop *loop = calloc(1, sizeof(*loop));

        if (!loop)
                return -ENOMEM;
        loop->link = link;
        loop->fds[0] = (struct pollfd){ .fd = link_fd(link) };
        loop->n = 1;
        loop->deadline = UINT64_MAX;
        loop->main.limit = UINT64_MAX;
        loop->current = &loop->main;
        link_set_wait(link, wait_link, loop);
        *ret_loop = loop;
        return 0;
}

Loop *loop_free(Loop *loop) {
        if (loop && loop->multi) {
                curl_multi_cleanup(loop->multi);
                curl_global_cleanup();
        }
        if (loop)
                link_set_wait(loop->link, NULL, NULL);
        free(loop);
        return NULL;
}

/* ---- libcurl ------------------------------------------------------------------------------------- */

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
        /* an idle one of those that it keeps makes room for a fresh one */
        (void) curl_multi_setopt(loop->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                                 (long) LOOP_TRANSFERS_MAX);
        return 0;
}

/* libcurl gives each message once. */
static void note_ends(Loop *loop) {
        const CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(loop->multi, &left))) {
                LoopTransfer *transfer = NULL;

                if (message->msg != CURLMSG_DONE ||
                    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) !=
                            CURLE_OK ||
                    !transfer)
                        continue;
                transfer->code = message->data.result;
                transfer->ended = true;
        }
}

static void act(Loop *loop, curl_socket_t fd, int what) {
        int running;

        (void) curl_multi_socket_action(loop->multi, fd, what, &running);
        note_ends(loop);
}

static bool has_room(const void *userdata) {
        const Loop *loop = userdata;

        return loop->n_transfers < LOOP_TRANSFERS_MAX;
}

int loop_add(Loop *loop, LoopTransfer *transfer, Error *err) {
        int r = loop_start_curl(loop, err);

        if (r >= 0 && !has_room(loop))
                r = loop_until(loop, has_room, loop, err);
        if (r < 0)
                return r;
        transfer->ended = false;
        (void) curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
        if (curl_multi_add_handle(loop->multi, transfer->easy) != CURLM_OK)
                return error_say(err, -EIO, "libcurl does not take the request");
        transfer->added = true;
        loop->n_transfers++;
        act(loop, CURL_SOCKET_TIMEOUT, 0);
        return 0;
}

void loop_remove(Loop *loop, LoopTransfer *transfer) {
        if (!transfer->added)
                return;
        (void) curl_multi_remove_handle(loop->multi, transfer->easy);
        transfer->added = false;
        loop->n_transfers--;
}

static bool has_arrived(const void *userdata) {
        const LoopTransfer *transfer = userdata;

        return transfer->ended;
}

int loop_wait(Loop *loop, LoopTransfer *transfer, Error *err) {
        int r = loop_until(loop, has_arrived, transfer, err);

        loop_remove(loop, transfer);
        return r;
}

/* ---- one turn ------------------------------------------------------------------------------------ */

static struct timespec from_now(uint64_t deadline) {
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

static uint64_t end_of_wait(const Strand *strand) {
        if (strand->patient || strand->until < strand->limit)
                return strand->until;
        return strand->limit;
}

static uint64_t first_deadline(const Loop *loop) {
        uint64_t first = end_of_wait(&loop->main);

        if (loop->deadline < first)
                first = loop->deadline;
        for (unsigned i = 0; i < loop->n_strands; i++)
                if (end_of_wait(loop->strands[i]) < first)
                        first = end_of_wait(loop->strands[i]);
        return first;
}

/* One wait, until something happens or the first of the deadlines. */
static int turn(Loop *loop, Error *err) {
        uint64_t first = first_deadline(loop);
        struct timespec wait = from_now(first);
        int r;

        loop->fds[0].events = (short) (POLLIN | (link_is_sending(loop->link) ? POLLOUT : 0));
        r = ppoll(loop->fds, loop->n, first == UINT64_MAX ? NULL : &wait, NULL);
        if (r < 0)
                return errno == EINTR ? 0 : error_set(err, -errno, "wait");
        if (loop->fds[0].revents) {
                r = link_turn(loop->link, loop->fds[0].revents & ~POLLOUT, err);
                if (r < 0)
                        return r;
        }
        dispatch(loop);
        return 0;
}

/* ---- who waits ----------------------------------------------------------------------------------- */

/* Is there an answer for who waits? 1: not yet. */
static int outcome(const Loop *loop, const Strand *strand, Error *err) {
        if (strand->ready && strand->ready(strand->userdata))
                return 0;
        if (loop->broken.code && !strand->deaf)
                return error_say(err, loop->broken.code, "%s", loop->broken.text);
        if (strand->cancelled && !strand->patient && !strand->spared)
                return error_say(err, -ECANCELED, "ended together with the steps beside it");
        if (units_monotonic() < end_of_wait(strand))
                return 1;
        if (end_of_wait(strand) == strand->until)
                return 0;
        return error_say(err, -ETIMEDOUT, "the step's time limit has passed");
}

/* Resume every strand that can go on. Returns whether one did. */
static bool resume_strands(Loop *loop) {
        bool any = false;

        for (unsigned i = 0; i < loop->n_strands; i++) {
                Strand *strand = loop->strands[i];

                if (fiber_is_ended(strand->fiber) || outcome(loop, strand, NULL) == 1)
                        continue;
                loop->current = strand;
                fiber_resume(strand->fiber);
                loop->current = &loop->main;
                any = true;
        }
        return any;
}

static int wait_in_main(Loop *loop, Error *err) {
        int r;

        for (;;) {
                r = outcome(loop, &loop->main, err);
                if (r <= 0)
                        return r;
                if (resume_strands(loop))
                        continue;
                (void) turn(loop, &loop->broken);
        }
}

static int wait_for(Loop *loop, const Strand *how, Error *err) {
        Strand *self = loop->current;
        int r;

        self->ready = how->ready;
        self->userdata = how->userdata;
        self->until = how->until;
        self->patient = how->patient || self->shielded;
        self->deaf = how->deaf;
        if (!self->fiber) {
                r = wait_in_main(loop, err);
        } else {
                r = outcome(loop, self, err);
                if (r == 1) {
                        fiber_yield(self->fiber);
                        r = outcome(loop, self, err);
                }
        }
        self->until = UINT64_MAX;
        return r;
}

int loop_until(Loop *loop, LoopReadyFn ready, const void *userdata, Error *err) {
        return wait_for(
                loop, &(Strand){ .ready = ready, .userdata = userdata, .until = UINT64_MAX }, err);
}

int loop_finish(Loop *loop, LoopReadyFn ready, const void *userdata, Error *err) {
        return wait_for(loop,
                        &(Strand){ .ready = ready,
                                   .userdata = userdata,
                                   .until = UINT64_MAX,
                                   .patient = true },
                        err);
}

int loop_sleep(Loop *loop, uint64_t usec, Error *err) {
        return wait_for(loop, &(Strand){ .until = units_monotonic() + usec }, err);
}

uint64_t loop_limit(Loop *loop, uint64_t deadline) {
        uint64_t outer = loop->current->limit;

        loop->current->limit = deadline;
        return outer;
}

bool loop_shield(Loop *loop, bool shielded) {
        bool outer = loop->current->shielded;

        loop->current->shielded = shielded;
        return outer;
}

bool loop_spare(Loop *loop, bool spared) {
        bool outer = loop->current->spared;

        loop->current->spared = spared;
        return outer;
}

uint64_t loop_left(const Loop *loop) {
        uint64_t now = units_monotonic(), limit = loop->current->limit;

        if (limit == UINT64_MAX)
                return limit;
        return limit > now ? limit - now : 0;
}

/* ---- strands ------------------------------------------------------------------------------------- */

int loop_spawn(Loop *loop, FiberFn run, void *userdata, Strand **ret_strand) {
        Strand *strand;

        if (loop->n_strands == ELEMENTS(loop->strands))
                return -EAGAIN;
        strand = calloc(1, sizeof(*strand));
        if (!strand || fiber_new(run, userdata, &strand->fiber) < 0) {
                free(strand);
                return -ENOMEM;
        }
        strand->until = 0; /* it can go on at once */
        strand->patient = strand->deaf = true;
        strand->limit = loop->current->limit;
        loop->strands[loop->n_strands++] = strand;
        *ret_strand = strand;
        return 0;
}

void loop_cancel(Strand *strand) {
        strand->cancelled = true;
}

bool loop_has_ended(const Strand *strand) {
        return fiber_is_ended(strand->fiber);
}

static bool strand_has_ended(const void *userdata) {
        return loop_has_ended(userdata);
}

Strand *loop_join(Loop *loop, Strand *strand) {
        unsigned i = 0;

        /* a supervisor that is gone ends the strand's waits, and by that the wait for its end */
        (void) wait_for(loop,
                        &(Strand){ .ready = strand_has_ended,
                                   .userdata = strand,
                                   .until = UINT64_MAX,
                                   .patient = true,
                                   .deaf = true },
                        NULL);
        while (loop->strands[i] != strand)
                i++;
        loop->strands[i] = loop->strands[--loop->n_strands];
        fiber_free(strand->fiber);
        free(strand);
        return NULL;
}

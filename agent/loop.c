/*
 * loop: the task socket, libcurl's sockets beside it (curl-watch.h), and who waits for what they bring.
 *
 * Who waits says for what by a function that is asked after each event: with LOOP_STRANDS_MAX strands that
 * costs less than lists of who waits for which descriptor, and nothing can be forgotten to be woken.
 *
 * Rejected: curl_multi_poll() (its own poll, without a signal mask) and a thread for transfers.
 */
#include "agent/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/units.h"

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
        Link *link;     /* borrowed */
        CurlWatch curl; /* owned; its fds[0] is the task socket */
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
        curl_watch_init(&loop->curl);
        loop->curl.fds[0].fd = link_fd(link);
        loop->main.limit = UINT64_MAX;
        loop->current = &loop->main;
        link_set_wait(link, wait_link, loop);
        *ret_loop = loop;
        return 0;
}

Loop *loop_free(Loop *loop) {
        if (!loop)
                return NULL;
        curl_watch_deinit(&loop->curl);
        link_set_wait(loop->link, NULL, NULL);
        free(loop);
        return NULL;
}

/* ---- transfers ----------------------------------------------------------------------------------- */

int loop_start_curl(Loop *loop, Error *err) {
        return curl_watch_start(&loop->curl, err);
}

static bool has_room(const void *userdata) {
        const Loop *loop = userdata;

        return loop->curl.n_transfers < CURL_TRANSFERS_MAX;
}

int loop_add(Loop *loop, CurlTransfer *transfer, Error *err) {
        int r = loop_start_curl(loop, err);

        if (r >= 0 && !has_room(loop))
                r = loop_until(loop, has_room, loop, err);
        if (r < 0)
                return r;
        if (curl_watch_add(&loop->curl, transfer) < 0)
                return error_say(err, -EIO, "libcurl does not take the request");
        return 0;
}

void loop_remove(Loop *loop, CurlTransfer *transfer) {
        curl_watch_remove(&loop->curl, transfer);
}

static bool has_arrived(const void *userdata) {
        const CurlTransfer *transfer = userdata;

        return transfer->ended;
}

int loop_wait(Loop *loop, CurlTransfer *transfer, Error *err) {
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

static uint64_t end_of_wait(const Strand *strand) {
        if (strand->patient || strand->until < strand->limit)
                return strand->until;
        return strand->limit;
}

static uint64_t first_deadline(const Loop *loop) {
        uint64_t first = end_of_wait(&loop->main);

        if (loop->curl.deadline < first)
                first = loop->curl.deadline;
        for (unsigned i = 0; i < loop->n_strands; i++)
                if (end_of_wait(loop->strands[i]) < first)
                        first = end_of_wait(loop->strands[i]);
        return first;
}

/* One wait, until something happens or the first of the deadlines. */
static int turn(Loop *loop, Error *err) {
        uint64_t first = first_deadline(loop);
        struct timespec wait = from_now(first);
        CurlWatch *curl = &loop->curl;
        int r;

        curl->fds[0].events = (short) (POLLIN | (link_is_sending(loop->link) ? POLLOUT : 0));
        r = ppoll(curl->fds, curl->n, first == UINT64_MAX ? NULL : &wait, NULL);
        if (r < 0)
                return errno == EINTR ? 0 : error_set(err, -errno, "wait");
        if (curl->fds[0].revents) {
                r = link_turn(loop->link, curl->fds[0].revents & ~POLLOUT, err);
                if (r < 0)
                        return r;
        }
        curl_watch_dispatch(curl);
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

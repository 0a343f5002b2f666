#pragma once
/*
 * capture: one captured output stream: all bytes counted, the first and the last half of @keep kept. The
 * memory is init's own group's; all captures together promise at most CAPTURE_PROMISE_MAX. Who follows it gets each
 * byte through a pipe as it comes, and is left behind where that is full: it asks again. One of them may set the pace,
 * who sits at the command's terminal: where that one's pipe is full nothing is read, and the command waits.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTURE_PROMISE_MAX   (40u << 20)
#define CAPTURE_FOLLOWERS_MAX 4

typedef struct Capture {
        int fd; /* owned: read end, non-blocking; -EBADF: closed or not captured */
        bool used;
        uint64_t seen;
        size_t keep;
        char *head; /* owned: head_n bytes, up to keep - keep / 2 */
        size_t head_n;
        size_t head_cap;
        char *ring; /* owned: keep / 2 bytes, once the head is full */
        size_t ring_n;
        size_t ring_at;                       /* where the next byte goes */
        int followers[CAPTURE_FOLLOWERS_MAX]; /* owned: pipes, non-blocking */
        unsigned pace; /* which of them sets it; CAPTURE_FOLLOWERS_MAX: none */
} Capture;

#define CAPTURE_EMPTY                                                \
        ((Capture){ .fd = -EBADF,                                    \
                    .followers = { -EBADF, -EBADF, -EBADF, -EBADF }, \
                    .pace = CAPTURE_FOLLOWERS_MAX })

/**
 * capture_start() - begin
 * @fd:   read end of a pipe, consumed
 * @keep: bytes kept
 */
void capture_start(Capture *capture, int fd, uint64_t keep);

/** capture_wait() - what to poll for before a read: @ret_fd (-EBADF: nothing) and events */
void capture_wait(const Capture *capture, int *ret_fd, short *ret_events);

/** capture_read() - take what is there, at most @max bytes; closes at the end of input. Returns: 0 or -errno */
int capture_read(Capture *capture, uint64_t max);

/**
 * capture_copy() - what is kept now, as capture_end() hands it over; the capture goes on
 * Returns: sealed memfd owned by the caller, or negative errno.
 */
int capture_copy(const Capture *capture, uint64_t *ret_kept, uint64_t *ret_cut_at);

/**
 * capture_follow() - a pipe for what comes from now on; it ends with the capture, or when nobody reads it in time
 * @sets_pace: it is never behind, the command waits for it; who did so before does not any more
 *
 * Returns: its read end, owned by the caller; -EBUSY: CAPTURE_FOLLOWERS_MAX follow already; or negative errno.
 */
int capture_follow(Capture *capture, bool sets_pace);

/** capture_hurry() - nobody sets the pace from now on: the command has ended, and its last words must be read */
void capture_hurry(Capture *capture);

/**
 * capture_end() - stop reading and hand over what was kept
 * @ret_kept, @ret_cut_at: as in InitEvent
 *
 * Returns: sealed memfd owned by the caller, or negative errno; the Capture is empty afterwards.
 */
int capture_end(Capture *capture, uint64_t *ret_kept, uint64_t *ret_cut_at);

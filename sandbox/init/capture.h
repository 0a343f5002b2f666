#pragma once
/*
 * capture: one captured output stream: all bytes counted, the first and the last half of @keep kept. The
 * memory is init's own group's; all captures together promise at most CAPTURE_PROMISE_MAX.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTURE_PROMISE_MAX (40u << 20)

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
        size_t ring_at; /* where the next byte goes */
} Capture;

#define CAPTURE_EMPTY ((Capture){ .fd = -EBADF })

/**
 * capture_start() - begin
 * @fd:   read end of a pipe, consumed
 * @keep: bytes kept
 */
void capture_start(Capture *capture, int fd, uint64_t keep);

/** capture_read() - take what is there, at most @max bytes; closes at the end of input. Returns: 0 or -errno */
int capture_read(Capture *capture, uint64_t max);

/**
 * capture_end() - stop reading and hand over what was kept
 * @ret_kept, @ret_cut_at: as in InitEvent
 *
 * Returns: sealed memfd owned by the caller, or negative errno; the Capture is empty afterwards.
 */
int capture_end(Capture *capture, uint64_t *ret_kept, uint64_t *ret_cut_at);

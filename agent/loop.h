#pragma once
/*
 * loop: the agent's only waiting: one ppoll over the task socket and libcurl's sockets, and the fibers that
 * wait for what it brings. A supervisor that goes away ends every wait, so that no agent outlives its task.
 *
 * A wait may be called from the main flow or from a strand (a fiber that the loop runs). The main flow's
 * wait turns the loop and resumes strands; a strand's wait yields to it. Each of them has a time limit of
 * its own, which all its waits keep: loop_limit().
 */
#include <stdbool.h>
#include <stdint.h>

#include "agent/curl-watch.h"
#include "agent/fiber.h"
#include "agent/link.h"

#define LOOP_STRANDS_MAX 64

typedef struct Loop Loop;
typedef struct Strand Strand;

/** loop_new() - @link is borrowed and outlives the loop. libcurl starts with the first use. Returns: 0, -ENOMEM */
int loop_new(Link *link, Loop **ret_loop);
/** loop_free() - release it; no strand may be left. Returns: NULL */
Loop *loop_free(Loop *loop);
DEFINE_SCOPED(Loop *, loop_free);

typedef bool (*LoopReadyFn)(const void *userdata);

/**
 * loop_until() - wait until @ready says yes; it is asked after each event, and must be cheap
 *
 * Returns: 0; -ETIMEDOUT: the time limit of who waits has passed; -ECANCELED: the strand was cancelled;
 *          -ECONNRESET: the supervisor is gone.
 */
int loop_until(Loop *loop, LoopReadyFn ready, const void *userdata, Error *err);

/** loop_finish() - loop_until() for what must come to its end: it keeps no time limit, and is not cancelled */
int loop_finish(Loop *loop, LoopReadyFn ready, const void *userdata, Error *err);

/** loop_sleep() - let @usec pass. Returns: as loop_until() */
int loop_sleep(Loop *loop, uint64_t usec, Error *err);

/**
 * loop_limit() - set the time limit of who calls
 * @deadline: monotonic microseconds, UINT64_MAX: none
 *
 * Returns: the limit that was; set it again afterwards.
 */
uint64_t loop_limit(Loop *loop, uint64_t deadline);

/**
 * loop_shield() - from now on no wait of who calls ends by its time limit or because it is cancelled; or again does
 * Returns: what it was; set it again afterwards.
 */
bool loop_shield(Loop *loop, bool shielded);

/** loop_spare() - likewise for being cancelled alone: time limits are kept. Returns: as loop_shield() */
bool loop_spare(Loop *loop, bool spared);

/** loop_left() - microseconds until the time limit of who calls; UINT64_MAX: there is none */
uint64_t loop_left(const Loop *loop);

/**
 * loop_spawn() - run @run(@userdata) in a fiber; it begins at the next wait of the main flow
 *
 * Its time limit is that of who calls.
 *
 * Returns: 0, -ENOMEM, -EAGAIN: LOOP_STRANDS_MAX are there.
 */
int loop_spawn(Loop *loop, FiberFn run, void *userdata, Strand **ret_strand);

/** loop_cancel() - every wait of this strand, the present one too, ends with -ECANCELED */
void loop_cancel(Strand *strand);

/** loop_has_ended() - has its function returned */
bool loop_has_ended(const Strand *strand);

/** loop_join() - wait for its end, whatever time limit there is, and release it. Returns: NULL */
Strand *loop_join(Loop *loop, Strand *strand);

/** loop_start_curl() - before the first easy handle is made; again is harmless. Returns: 0, -ENOMEM, -EIO */
int loop_start_curl(Loop *loop, Error *err);

/**
 * loop_add() - put a transfer on its way; it is sent as far as it goes without waiting
 * @transfer: with its easy handle; borrowed until loop_wait() returns or loop_remove()
 *
 * Where CURL_TRANSFERS_MAX are on their way, it waits until one of them has ended.
 *
 * Returns: 0, -ENOMEM, -EIO; as loop_until().
 */
int loop_add(Loop *loop, CurlTransfer *transfer, Error *err);

/**
 * loop_wait() - wait for the end of a transfer; transfer->code is libcurl's word on it
 * Returns: as loop_until(). The transfer is removed in each case.
 */
int loop_wait(Loop *loop, CurlTransfer *transfer, Error *err);

/** loop_remove() - take a transfer out; harmless where it is out */
void loop_remove(Loop *loop, CurlTransfer *transfer);

#pragma once
/*
 * loop: the agent's only waiting: one ppoll over the task socket and libcurl's sockets. A supervisor that
 * goes away ends every wait, so that no agent outlives its task.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/link.h"

typedef struct Loop Loop;

/** loop_new() - @link is borrowed and outlives the loop. libcurl starts with the first use. Returns: 0, -ENOMEM */
int loop_new(Link *link, Loop **ret_loop);
/** loop_free() - release it. Returns: NULL */
Loop *loop_free(Loop *loop);
DEFINE_SCOPED(Loop *, loop_free);

/** loop_start_curl() - before the first easy handle is made; again is harmless. Returns: 0, -ENOMEM, -EIO */
int loop_start_curl(Loop *loop, Error *err);

/**
 * loop_add() - put a transfer on its way; it is sent as far as it goes without waiting
 * @easy: borrowed until loop_wait() returns or loop_remove()
 *
 * Returns: 0, -ENOMEM, -EIO.
 */
int loop_add(Loop *loop, CURL *easy, Error *err);

/**
 * loop_wait() - wait for the end of a transfer
 * @ret_code: libcurl's word on it
 *
 * Returns: 0, or -ECONNRESET: the supervisor is gone. The transfer is removed in each case.
 */
int loop_wait(Loop *loop, CURL *easy, CURLcode *ret_code, Error *err);

/** loop_remove() - take a transfer out; harmless where it is out */
void loop_remove(Loop *loop, CURL *easy);

/** loop_sleep() - let @usec pass. Returns: 0, or -ECONNRESET: the supervisor is gone */
int loop_sleep(Loop *loop, uint64_t usec, Error *err);

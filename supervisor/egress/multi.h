#pragma once
/*
 * multi: libcurl's transfers on sd_event.
 */
#include <curl/curl.h>
#include <systemd/sd-event.h>

#include "base/error.h"
#include "base/owned.h"

typedef struct Multi Multi;

/** multi_ended_fn - a transfer has ended and is out of the multi; it may be added again or freed */
typedef void (*MultiEndedFn)(void *userdata, CURLcode code);

/** multi_new() - over @event (borrowed, outlives it). Returns: 0, -ENOMEM, -EIO */
int multi_new(sd_event *event, Multi **ret_multi, Error *err);
/** multi_free() - release it; all transfers are out before. Returns: NULL */
Multi *multi_free(Multi *multi);
DEFINE_SCOPED(Multi *, multi_free);

/**
 * multi_add() - start a transfer
 * @ended: called once from the loop, unless multi_remove() comes first
 *
 * Returns: 0, -EIO.
 */
int multi_add(Multi *multi, CURL *easy, Error *err);
/** multi_remove() - drop a transfer; harmless where it is out. Never from a callback of libcurl */
void multi_remove(Multi *multi, CURL *easy);

/** multi_on_end() - whom to tell that @easy has ended; before multi_add(). @userdata is CURLOPT_PRIVATE */
void multi_on_end(Multi *multi, MultiEndedFn ended);

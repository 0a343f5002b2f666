#pragma once
/*
 * http: one POST at a time over the loop, tried again where that is worth it: 429, 5xx, and where no
 * answer came. Plain HTTP only: the other end is the supervisor's listener on this jail's loopback.
 */
#include "agent/loop.h"
#include "base/buf.h"

#define HTTP_TRIES_MAX       4
#define HTTP_REPLY_MAX       (8 * 1024 * 1024)
#define HTTP_TIMEOUT_SECONDS 600L
#define HTTP_CONNECT_SECONDS 5L

typedef struct Http Http;

typedef void (*HttpNoticeFn)(void *userdata, const char *text);

/** http_new() - requests go to @url; @loop is borrowed. Returns: 0, -ENOMEM, -EIO */
int http_new(Loop *loop, const char *url, Http **ret_http, Error *err);
/** http_free() - release it; a transfer under way is dropped. Returns: NULL */
Http *http_free(Http *http);
DEFINE_SCOPED(Http *, http_free);

/** http_start() - send @body (JSON; copied). Returns: 0 or negative errno */
int http_start(Http *http, const char *body, size_t n, Error *err);

/** http_on_notice() - whom to tell about a wait before another try; @notice may be NULL */
void http_on_notice(Http *http, HttpNoticeFn notice, void *userdata);

/**
 * http_finish() - wait for the answer, with all tries
 *
 * Returns: 0 whatever the status is; -EHOSTUNREACH: no answer, and @err says of what kind; -EMSGSIZE: a
 *          reply above HTTP_REPLY_MAX; otherwise as loop_until().
 */
int http_finish(Http *http, Error *err);

/** http_status() - of the last answer */
long http_status(const Http *http);
/** http_body() - of the last answer, terminated; borrowed until the next http_start() */
const char *http_body(const Http *http, size_t *ret_n);
/** http_tries() - how often the last request was sent */
unsigned http_tries(const Http *http);

#pragma once
/*
 * curl-watch: curl_multi by its socket interface. libcurl says which sockets it wants watched for what, and when it wants
 * to be called without an event; whoever waits watches them beside its own descriptor, and has each served that is
 * ready. Nothing here waits.
 */
#include <curl/curl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define CURL_TRANSFERS_MAX     8 /* on their way; egress takes so many connections */
#define CURL_WATCH_SOCKETS_MAX 64

/* One HTTP transfer; embedded in its owner, which does not move. */
typedef struct CurlTransfer {
        CURL *easy; /* borrowed */
        CURLcode code;
        bool added;
        bool ended;
} CurlTransfer;

typedef struct CurlWatch {
        CURLM *multi;                                  /* owned; NULL before the first transfer */
        struct pollfd fds[1 + CURL_WATCH_SOCKETS_MAX]; /* [0] is whoever's who waits */
        unsigned n;
        unsigned n_transfers;
        uint64_t deadline; /* libcurl's; monotonic microseconds; UINT64_MAX: none */
} CurlWatch;

/** curl_watch_init() - libcurl is not started yet */
void curl_watch_init(CurlWatch *watch);
/** curl_watch_deinit() - end libcurl where it was started */
void curl_watch_deinit(CurlWatch *watch);
/** curl_watch_start() - before the first easy handle is made; again is harmless. Returns: 0, -ENOMEM, -EIO */
int curl_watch_start(CurlWatch *watch, Error *err);

/** curl_watch_add() - put a transfer on its way, as far as it goes without waiting. Returns: 0, -EIO */
int curl_watch_add(CurlWatch *watch, CurlTransfer *transfer);
/** curl_watch_remove() - take it out; harmless where it is out */
void curl_watch_remove(CurlWatch *watch, CurlTransfer *transfer);
/** curl_watch_dispatch() - behind a poll of `fds`: serve what is ready, and libcurl's own deadline; transfers that ended are marked */
void curl_watch_dispatch(CurlWatch *watch);

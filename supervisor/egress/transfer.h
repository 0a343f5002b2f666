#pragma once
/*
 * transfer: one request to a provider, tried again while nothing of an answer was passed on. An answer
 * that is worth another try (429, 5xx) is held back; the last one is passed on like any other.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/money.h"
#include "supervisor/egress/multi.h"

#define TRANSFER_TRIES_MAX   4
#define TRANSFER_HEADERS_MAX 4
#define TRANSFER_HELD_MAX    (64 * 1024) /* of an answer that may be tried again */
#define TRANSFER_HEAD_MAX    (64 * 1024) /* all headers of an answer */
#define TRANSFER_BYTES \
        (384 * 1024) /* that one costs at most, libcurl's buffers and TLS included, bodies not */

typedef struct TransferHead {
        long status;
        const char *type;        /* borrowed; NULL: none */
        const char *retry_after; /* borrowed; NULL: none */
        int64_t length;          /* of the body; negative: not known */
} TransferHead;

typedef struct TransferEnd {
        long status; /* 0: no answer came */
        bool whole;  /* head and all of the body were passed on */
        unsigned attempts;
        Tokens tokens;                /* as the provider says, else guessed on the high side */
        bool guessed;                 /* one of in and out at least */
        uint64_t bytes_in, bytes_out; /* bodies */
        uint64_t wall_usec;
        const char *text; /* borrowed; why it is not whole */
} TransferEnd;

/* Called from libcurl's callbacks: none of them may free the transfer but end, which is the last. */
typedef struct TransferEvents {
        void (*head)(void *userdata, const TransferHead *head);
        /* Returns 1: taken; 0: full, pause (nothing was taken); -1: give up. */
        int (*body)(void *userdata, const char *bytes, size_t n);
        void (*end)(void *userdata, const TransferEnd *end);
} TransferEvents;

typedef struct TransferSpec { /* all borrowed, until the transfer is freed */
        const char *url;
        const char *headers[TRANSFER_HEADERS_MAX]; /* further ones, "Name: value"; NULL: none */
        const char *body;                          /* NULL: a GET */
        size_t n_body;
        uint64_t bytes_max; /* of the answer's body; 0: no limit */
        bool costs; /* a model answers: tokens are guessed where the provider does not say */
        bool echoes; /* an answer that repeats what it was asked, so that only its end says what it costs */
        bool grows; /* a stream that says at its beginning what it costs so far, and all at its end */
        const TransferEvents *events;
        void *userdata;
} TransferSpec;

typedef struct Transfer Transfer;

/** transfer_new() - and start it. Returns: 0, -ENOMEM, -EIO, -EINVAL */
int transfer_new(Multi *multi, sd_event *event, const TransferSpec *spec, Transfer **ret_transfer,
                 Error *err);
/** transfer_free() - drop it without a further event. Returns: NULL */
Transfer *transfer_free(Transfer *transfer);
DEFINE_SCOPED(Transfer *, transfer_free);

/** transfer_resume() - after body() said 0: there is room again */
void transfer_resume(Transfer *transfer);

/** transfer_abort() - the client went away, or @why: end() is called, now, with what is known so far */
void transfer_abort(Transfer *transfer, const char *why);

/** transfer_ended() - what multi calls at the end of each try (multi_on_end()) */
void transfer_ended(void *transfer, CURLcode code);

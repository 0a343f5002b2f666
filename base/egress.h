#pragma once
/*
 * egress: the structs between the front and warder-egress, one a message over SOCK_SEQPACKET, native byte
 * order; descriptors by SCM_RIGHTS. They stand here and not in supervisor/wire.h because egress includes
 * nothing but base. Egress treats what the front sends as data to check; the front treats what egress
 * says as the word of a process that reads a hostile network.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/money.h"

#define EGRESS_URL_MAX     512
#define EGRESS_MODEL_MAX   128
#define EGRESS_ALLOWED_MAX 512

typedef enum EgressRequestKind { EGRESS_OPEN = 1, EGRESS_CLOSE, EGRESS_BRANCH } EgressRequestKind;

/*
 * OPEN comes with two descriptors: the listener in the agent's jail, a sealed memfd of the key (empty: none).
 * BRANCH comes with one, the listener of a command in the task's jail: a route with the URL, key and model of
 * route `like`, so that no key is kept anywhere but here.
 */
typedef struct EgressRequest {
        uint32_t kind;
        uint32_t pad;
        uint64_t id;           /* a number of the front's: a task's, or of a command of its */
        uint64_t requests_max; /* OPEN: model calls of this route and its branches; 0: no limit */
        uint64_t bytes_max;    /* of one reply; 0: no limit */
        char base_url[EGRESS_URL_MAX]; /* "https://host/v1": + the path below /v1 */
        char model[EGRESS_MODEL_MAX];  /* every request is about this one; "": whichever it names */
        uint64_t like;                 /* BRANCH: id of the route that it is one more way of */
        uint64_t
                patience_usec; /* that a request, or an answer that nobody reads, may stand; 0: as long as it likes */
        uint64_t tokens_max; /* OPEN: of this route and its branches; 0: no limit */
        char allowed
                [EGRESS_ALLOWED_MAX]; /* OPEN: "a,b": what a request may ask for beside what is known */
        uint64_t money_max; /* OPEN: of this route and its branches, in millionths; 0: no limit */
        Price price;        /* OPEN: of the model; all 0: nothing is counted */
} EgressRequest;

/* REFUSED: a request went nowhere. Told of a route ROUTE_REFUSALS_MAX times at most, the same one running once. */
typedef enum EgressEventKind {
        EGRESS_OPENED = 1,
        EGRESS_CALL,
        EGRESS_LIMIT,
        EGRESS_REFUSED
} EgressEventKind;

enum { EGRESS_LIMIT_CALLS = 1, EGRESS_LIMIT_TOKENS, EGRESS_LIMIT_MONEY };

typedef struct EgressEvent {
        uint32_t kind;
        int32_t code; /* OPENED: 0 or negative errno; CALL, REFUSED: HTTP status, 0 where none came; LIMIT: EGRESS_LIMIT_* */
        uint64_t id;
        uint64_t calls; /* so far */
        uint64_t
                tokens_in; /* of this call, from the reply's usage; guessed on the high side without */
        uint64_t tokens_out;
        uint64_t bytes_in;
        uint64_t bytes_out;
        uint64_t wall_usec;
        uint32_t attempts; /* with retries */
        uint32_t guessed;  /* 1: tokens are egress' guess, not the provider's word */
        char text[ERROR_TEXT_MAX];
        uint64_t
                like; /* of the request that opened the route: it may outlive the command that it was for */
        uint64_t
                tokens_cached; /* of tokens_in: that the provider read from its cache, as it says */
        uint64_t
                money; /* CALL: what it cost, in millionths; LIMIT by money: what one more would cost, at least */
} EgressEvent;

/** egress_is_allowed() - is @word one of @list, "a,b" (EgressRequest.allowed); in any case */
bool egress_is_allowed(const char *list, const char *word);

#pragma once
/*
 * link: the agent's end of its task socket (warder-agent(7)). One call at a time; notifications out.
 */
#include "base/rpc.h"

#define LINK_CODE_MAX 24

typedef struct Link Link;

/* An answer of the supervisor: a result with its descriptors, or the named reason of a refusal. */
typedef struct LinkAnswer {
        RpcMessage message;       /* owned */
        const cJSON *result;      /* borrowed from the message; NULL where refused */
        char code[LINK_CODE_MAX]; /* data.code of a refusal: "denied", "not_found", "limit", … */
} LinkAnswer;

#define LINK_ANSWER_EMPTY ((LinkAnswer){ 0 })

enum { _LINK_E_SUCCESS, LINK_E_REFUSED };

/** link_new_consume() - over the task socket. Returns: 0 or -ENOMEM (then @fd is closed) */
int link_new_consume(int fd, Link **ret_link);
/** link_free() - close it. Returns: NULL */
Link *link_free(Link *link);
DEFINE_SCOPED(Link *, link_free);

/** link_answer_deinit() - free the tree and close descriptors that were not taken */
void link_answer_deinit(LinkAnswer *answer);
static inline void link_answer_deinit_scoped(LinkAnswer *answer) {
        link_answer_deinit(answer);
}

/**
 * link_call() - ask the supervisor and wait for its answer
 * @params_consume: freed in every case; NULL: no parameters (or no memory: then -ENOMEM)
 * @ret:            owned by the caller, also where refused
 *
 * Returns: 0; LINK_E_REFUSED with the sentence in @err and the word in @ret->code; -ECONNRESET where
 *          the supervisor is gone; other negative errno.
 */
int link_call(Link *link, const char *method, cJSON *params_consume, LinkAnswer *ret, Error *err);

/** link_take_fd() - the answer's first descriptor, owned by the caller. Returns: fd or -EBADF */
int link_take_fd(LinkAnswer *answer);

/**
 * link_notify() - a notification; bounded by the caller
 * Returns: 0, or negative errno: the supervisor is gone or does not read.
 */
int link_notify(Link *link, const char *method, cJSON *params_consume);

/** link_fd() - what to poll while waiting for something else */
int link_fd(const Link *link);

/**
 * link_idle() - take in what came outside of a call
 * Returns: 0, or -ECONNRESET where the supervisor closed the socket: the task is over.
 */
int link_idle(Link *link, Error *err);

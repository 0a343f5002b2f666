#pragma once
/*
 * link: the agent's end of its task socket (warder-agent(7)). Each strand of the loop may have one call under
 * way; answers find their calls by number. Notifications out.
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

/** link_is_busy() - was it refused only because the same is under way for another */
bool link_is_busy(int r, const LinkAnswer *answer);

#define LINK_CALLS_MAX     20 /* under way; with the questions fewer than the supervisor takes */
#define LINK_QUESTIONS_MAX 8  /* so many may be open */

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
 * The strand that calls yields until the answer is there. Where LINK_CALLS_MAX are under way (of `ask`
 * LINK_QUESTIONS_MAX, which do not count among the others) it waits for its turn. Where the wait for what lasts (`exec`,
 * `verify`, `ask`) ends early, by a time limit or because the step is ended, the supervisor is told to end it; a command
 * has ended when this returns. What is short is waited for all the same: nothing that it gives is lost.
 *
 * Returns: 0; LINK_E_REFUSED with the sentence in @err and the word in @ret->code, also where the request is
 *          longer than a line, which is not sent then; -ECONNRESET where
 *          the supervisor is gone; -ETIMEDOUT, -ECANCELED as loop_until(); other negative errno.
 */
int link_call(Link *link, const char *method, cJSON *params_consume, LinkAnswer *ret, Error *err);

/** link_take_fd() - the answer's first descriptor, owned by the caller. Returns: fd or -EBADF */
int link_take_fd(LinkAnswer *answer);
/** link_take_fd_at() - likewise the one of number @i, from 0 */
int link_take_fd_at(LinkAnswer *answer, unsigned i);

/**
 * link_notify() - a notification; bounded by the caller: one that is longer than a line is dropped
 * Returns: 0, or negative errno: the supervisor is gone or does not read.
 */
int link_notify(Link *link, const char *method, cJSON *params_consume);

/* How a call waits: until @ready says yes. Returns: 0 or negative errno, as loop_until(), or loop_finish() for @whole. */
typedef int (*LinkWaitFn)(bool (*ready)(const void *userdata), const void *userdata, bool whole,
                          void *waiter, Error *err);

/** link_set_wait() - by whom calls wait; the loop sets itself. @waiter is borrowed */
void link_set_wait(Link *link, LinkWaitFn wait, void *waiter);

/** link_fd() - what to poll */
int link_fd(const Link *link);

/** link_is_sending() - does something wait to be sent: poll for writing too */
bool link_is_sending(const Link *link);

/**
 * link_turn() - send what waits and, where @readable, take in what came: answers go to their calls
 * Returns: 0, or -ECONNRESET where the supervisor closed the socket: the task is over.
 */
int link_turn(Link *link, bool readable, Error *err);

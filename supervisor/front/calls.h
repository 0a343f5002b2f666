#pragma once
/*
 * calls: one request of a client that waits for its answer, and the rows of the method table. An answer
 * goes nowhere when the client has gone in the meantime; a Call survives its client until it is answered.
 */
#include "base/schema.h"
#include "supervisor/front/front.h"

#define CALLS_PER_CLIENT_MAX 256 /* requests of one connection that wait for an answer */

typedef struct Call Call; /* one request that waits for its answer */

typedef struct Peer { /* who asks */
        uint32_t uid;
        uint32_t pid; /* for logs only */
        bool admin;   /* uid 0 or group warder-admin */
} Peer;

typedef struct MethodRow { /* what is said of it stands in protocol/ */
        const char *name;
        /* 0 and *ret_result set: answer now; 0 and NULL: answers later by call_*; negative: refused, @err */
        int (*run)(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err);
} MethodRow;

/** call_new() - takes id and descriptors out of @message. Returns: 0, -ENOMEM, -EBUSY: too many wait */
int call_new(Client *client, RpcMessage *message, Call **ret);
/** calls_detach() - their client is gone */
void calls_detach(Call *first);

/** call_peer() - who asked; valid as long as the call */
const Peer *call_peer(const Call *call);
/** call_uid() - whose jails and tasks the caller sees, and may end: 0 for administrators: all */
uint32_t call_uid(const Call *call);
/**
 * call_owns() - may the caller look into what @owner_uid owns, and run something there
 *
 * Its owner and root may. An administrator of the group warder-admin sees that it is there and may end it,
 * and no more.
 *
 * Returns: 0, or -EACCES with a sentence, after call_refuse().
 */
int call_owns(Call *call, uint32_t owner_uid, Error *err);
/** call_id() - the id of the request, a copy of the caller's; NULL: no memory */
cJSON *call_id(const Call *call);
/** call_client() - NULL when it has gone */
Client *call_client(const Call *call);
/** call_take_fd() - descriptor @i of the request, owned by the caller; -EBADF where there is none */
int call_take_fd(Call *call, unsigned i);
/** call_fd() - the same, borrowed until the call is answered */
int call_fd(const Call *call, unsigned i);
/** call_close_fds() - nobody needs them any more: who waits for the end of one hears it before the answer */
void call_close_fds(Call *call);
/** call_n_fds() - how many came */
unsigned call_n_fds(const Call *call);
/** call_refuse() - data.code for an error that run() returns: "denied", "not_found", …, with pointer and hint (may be NULL) */
void call_refuse(Call *call, const char *code, const char *path, const char *hint);
/** call_refuse_like() - what was said so of @other is said of @call, too, but for the pointer; nothing, where nothing was */
void call_refuse_like(Call *call, const Call *other);
/** call_is_refused() - was that called */
bool call_is_refused(const Call *call);
/** call_data() - more members for the data of a refusal; borrowed, NULL: no memory */
cJSON *call_data(Call *call);
/** call_answer() - @result is consumed; the call is freed */
void call_answer(Call *call, cJSON *result, const int *fds, unsigned n_fds);
/** call_fail() - code as in formats.md, NULL: from @err's; the call is freed */
void call_fail(Call *call, const char *code, const Error *err);
/** call_fail_params() - -32602 with data.path, and the range that a number is outside of; the call is freed */
void call_fail_params(Call *call, const SchemaFault *fault);
/** call_fail_method() - -32601; the call is freed */
void call_fail_method(Call *call, const char *method);
/** call_notify() - a notification to the caller before the answer; @params is consumed */
void call_notify(Call *call, const char *method, cJSON *params);

#pragma once
/*
 * clients: connections to the front's socket. A request that ends later keeps a Call; the answer goes
 * nowhere when the client has gone in the meantime (calls survive their client until they are answered).
 */
#include "supervisor/front/front.h"

typedef struct Call Call; /* one request that waits for its answer */

typedef struct Peer { /* who asks */
        uint32_t uid;
        uint32_t pid; /* for logs only */
        bool admin;   /* uid 0 or group warder-admin */
} Peer;

typedef struct MethodRow {
        const char *name;
        const char *params; /* JSON Schema text */
        const char *result;
        unsigned n_fds_max;
        bool may_wait;       /* answers later */
        const char *summary; /* for rpc.discover and warder-rpc(7) */
        const char *charge;  /* what it is charged to: "none", "jails", "disk", "tasks" */
        /* 0 and *ret_result set: answer now; 0 and NULL: answers later by call_*; negative: refused, @err */
        int (*run)(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err);
} MethodRow;

/** call_peer() */
const Peer *call_peer(const Call *call);
/** call_client() - NULL when it has gone */
Client *call_client(const Call *call);
/** call_take_fd() - descriptor @i of the request, owned by the caller; -EBADF where there is none */
int call_take_fd(Call *call, unsigned i);
/** call_n_fds() */
unsigned call_n_fds(const Call *call);
/** call_refuse() - data.code for an error that run() returns: "denied", "not_found", …, with pointer and hint */
void call_refuse(Call *call, const char *code, const char *path, const char *hint);
/** call_answer() - @result is consumed; the call is freed */
void call_answer(Call *call, cJSON *result, const int *fds, unsigned n_fds);
/** call_fail() - code as in formats.md; the call is freed */
void call_fail(Call *call, const char *code, const Error *err);
/** call_notify() - a notification to the caller before the answer; @params is consumed */
void call_notify(Call *call, const char *method, cJSON *params);

/** client_notify() - a notification to a client. Returns: 0, -ENOBUFS: it lags (nothing was queued) */
int client_notify(Client *client, const char *method, cJSON *params_consume);
/** client_peer() */
const Peer *client_peer(const Client *client);

/** ClientGoneFn - the connection ended; called once */
typedef void (*ClientGoneFn)(Client *client, void *userdata);
/** client_watch() - be told; client_unwatch() with the same pair takes it back */
int client_watch(Client *client, ClientGoneFn gone, void *userdata);
void client_unwatch(Client *client, ClientGoneFn gone, void *userdata);

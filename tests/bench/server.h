#pragma once
/*
 * server: private supervisors of the bench, and requests to them.
 */
#include "base/json.h"
#include "base/rpc-call.h"
#include "tests/bench/rounds.h"

#define BUSYBOX "/bin/busybox"

typedef struct Server {
        char instance[64];
        char run[80];
        pid_t pid;
        RpcPeer *peer; /* owned */
        char live[32]; /* a jail for rows of commands; "": none */
} Server;

struct Bench {
        const char *libexec;
        const char *source;
        char dir[64];   /* on disk; below it "memory", a tmpfs */
        Server with;    /* shells made ahead */
        Server without; /* none */
        Server pooled;  /* shells, and a pool */
};

/** server_start() - @shells: how many are made ahead. Returns: 0 or negative errno */
int server_start(const Bench *bench, Server *server, const char *name, const char *shells,
                 Error *err);
/** server_stop() - fine on one that was not started */
void server_stop(Server *server);
/** server_connect() - one more connection, owned by the caller. Returns: 0 or negative errno */
int server_connect(const Server *server, RpcPeer **ret, Error *err);

/** bench_call() - one request, and its result. @ret: owned by the caller, or NULL. Returns: 0 or negative errno */
int bench_call(Server *server, const char *method, const char *params, const int *fds, unsigned n,
               cJSON **ret, Error *err);
/** bench_call_on() - the same on a connection of one's own */
int bench_call_on(RpcPeer *peer, const char *method, const char *params, const int *fds, unsigned n,
                  cJSON **ret, Error *err);
/** server_import() - the archive NAME.tar of the bench's directory, or of its "memory", as snapshot NAME */
int server_import(const Bench *bench, Server *server, const char *name, Error *err);
/** server_shells() - how many jails were asked for so far, and how many of them found a shell ready */
int server_shells(Server *server, uint64_t *ret_asked, uint64_t *ret_ready, Error *err);
/** bench_check_exited() - is this record of a command one of a good end. Returns: 0 or negative errno */
int bench_check_exited(const cJSON *record, Error *err);

#pragma once
/*
 * bench: what the rows of the one table share. A row does one piece of work; what it needs beforehand, and what
 * puts back what it changed, is off the clock.
 */
#include <stdint.h>

#include "base/json.h"
#include "base/rpc-call.h"

#define ROUNDS_MAX 1000
#define BUSYBOX    "/bin/busybox"

typedef struct Server {
        char instance[64];
        char run[80];
        pid_t pid;
        RpcPeer *peer; /* owned */
        char *live;    /* owned: a jail for the exec row */
} Server;

typedef struct Bench {
        const char *libexec;
        const char *source;
        char dir[64];
        Server with;    /* shells made ahead */
        Server without; /* none */
} Bench;

typedef struct Row {
        const char *name;
        int (*run)(Bench *bench, Error *err);
        int (*before)(Bench *bench, Error *err); /* off the clock; NULL: nothing */
        const char *skip;
        bool other;                 /* it was not asked for */
        unsigned every;             /* one of so many rounds; 0: each */
        uint64_t times[ROUNDS_MAX]; /* nanoseconds */
        unsigned n;
} Row;

/** bench_call() - one request, and its result. @ret: owned by the caller, or NULL. Returns: 0 or negative errno */
int bench_call(Server *server, const char *method, const char *params, const int *fds, unsigned n,
               cJSON **ret, Error *err);
/** bench_check_exited() - is this record of a command one of a good end. Returns: 0 or negative errno */
int bench_check_exited(const cJSON *record, Error *err);
/** bench_spawn() - run a program to its end, which must be good; its output is dropped. Returns: 0 or negative errno */
int bench_spawn(const char *const *argv, Error *err);
/** bench_shell() - the same of a script, whose $1 is @dir */
int bench_shell(const char *script, const char *dir, Error *err);

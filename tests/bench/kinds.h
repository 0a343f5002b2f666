#pragma once
/*
 * kinds: what one client of load.c does again and again.
 */
#include "tests/bench/containers.h"

typedef struct Worker {
        Bench *bench;
        unsigned number;
        RpcPeer *peer; /* NULL: a peer's kind */
        char jail[32];
        char container[CONTAINER_ID_MAX], pid[CONTAINER_PID_MAX];
} Worker;

typedef enum KindTable { KIND_JAILS = 1, KIND_COMMANDS = 2 } KindTable;

typedef struct Kind {
        const char *name;
        unsigned tables;                            /* KindTable, or both */
        const char *program;                        /* must be installed; NULL: none */
        int (*prepare)(Worker *worker, Error *err); /* off the clock, as is finish; NULL: nothing */
        int (*once)(Worker *worker, Error *err);
        int (*finish)(Worker *worker, Error *err);
} Kind;

/** kinds - the first is what the others are compared with; ended by a NULL name */
extern const Kind kinds[];
#define KINDS_MAX 8

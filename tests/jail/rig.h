#pragma once
/*
 * rig: monitor and front in one process, for tests of the jail library: builds jails straight through
 * sandbox/jail.h and speaks wire.h to their init.
 */
#include <stdbool.h>

#include "sandbox/jail.h"
#include "supervisor/wire.h"

#define RIG_ID_BASE 1879048192u
#define WAIT_MSEC   60000 /* of a test that fails then; a virtual machine without KVM is slow */

typedef struct Rig {
        Sandbox *sandbox;
        int store, ids, filter;
        char dir[64]; /* temporary, holds store and ids */
        char instance[32];
} Rig;

typedef struct Cage { /* a running jail and what a front has of it */
        Jail *jail;
        int fds[_JAIL_FD_MAX];
        uint64_t next_id;
        unsigned slot;
} Cage;

typedef struct Command {
        const char *const *argv; /* NULL-terminated */
        const char *const *envp; /* NULL: a PATH alone */
        const char *cwd;         /* NULL: "/" */
        uint32_t uid;
        uint32_t slot;
        uint32_t flags;      /* InitExecFlags */
        uint64_t keep;       /* 0: 64 KiB */
        uint64_t output_max; /* 0: 1 MiB */
        bool merge;
        const int *stdio; /* three descriptors instead of null and captures */
        int binary;       /* with INIT_EXEC_BINARY_FD */
} Command;

typedef struct Outcome {
        InitEvent end;
        bool started;
        bool limited; /* INIT_OUTPUT_LIMIT came */
        char *out;    /* owned; NULL: not captured */
        char *err;
} Outcome;

/** rig_start() - a sandbox of its own; prints why and ends the program where there is none */
void rig_start(Rig *rig);
/** rig_try() - the same, into what rig_start() made ready. Returns: as sandbox_new() */
int rig_try(Rig *rig, Error *err);
/** rig_end() - take it down and remove its directory */
void rig_end(Rig *rig);

/** rig_plan() - a host-root plan with small limits */
Plan rig_plan(void);
/** cage_try() - a jail of this plan. Returns: 0 or negative errno, the jail is gone then */
int cage_try(Rig *rig, const Plan *plan, const JailLayer *layers, Cage *ret_cage, Error *err);
/** rig_layer() - a layer below the store, owned by the store's ids; its fd is the caller's */
JailLayer rig_layer(const Rig *rig, const char *name);
/** cage_host() - a host-root jail of @plan; ends the program where it cannot be made */
Cage cage_host(Rig *rig, const Plan *plan);
/** cage_end() - destroy and wait until nothing is left */
void cage_end(Cage *cage);

/** cage_send() - start a command. Returns: its id */
uint64_t cage_send(Cage *cage, const Command *command);
/** cage_event() - next event of init, waiting at most ten seconds. Returns: 0 or negative errno */
int cage_event(Cage *cage, InitEvent *event, int *fds);
/** cage_wait() - events until this command's end */
Outcome cage_wait(Cage *cage, uint64_t id);
/** cage_run() - both; release with outcome_free() */
Outcome cage_run(Cage *cage, const Command *command);
/** cage_shell() - sh -c @script as uid 1000 */
Outcome cage_shell(Cage *cage, const char *script);
/** outcome_free() - release captured text */
void outcome_free(Outcome *outcome);

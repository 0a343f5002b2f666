#pragma once
/*
 * jails: jails as the front knows them: who owns one, what runs in it, when it ends.
 */
#include "supervisor/front/front.h"

typedef enum FrontJailState {
        FRONT_JAIL_MAKING,
        FRONT_JAIL_READY,
        FRONT_JAIL_ENDING,
        _FRONT_JAIL_STATE_MAX
} FrontJailState;

typedef struct JailLimits { /* complete, from policy and request; microseconds, bytes */
        PlanLimits plan;
        uint64_t wall_usec;         /* of the jail */
        uint64_t command_wall_usec; /* defaults of each command */
        uint64_t command_cpu_usec;
        uint64_t output_keep;
        uint64_t output_max;
        uint64_t nofile;
        uint64_t fsize;
} JailLimits;

typedef struct JailSpec { /* all borrowed for the call */
        Plan plan;        /* views, layers, flags, ids, limits filled; n_fds counts filter + fds */
        const int *fds;   /* of LAYER_DIR layers, as plan.layers[].fd - 1 indexes them */
        unsigned n_fds;
        int filter_fd; /* policies_filter() */
        JailLimits limits;
        const char *snapshot; /* for show */
        const char *policy;
        uint32_t owner_uid;
        Client *client; /* ends with it; NULL: kept */
} JailSpec;

/** JailReadyFn - once: @err NULL and the jail is ready, or the reason it could not be made (then it is gone) */
typedef void (*JailReadyFn)(FrontJail *jail, const Error *err, void *userdata);
/** JailGoneFn - once: nothing of the jail is left */
typedef void (*JailGoneFn)(void *userdata);

/** front_jail_new() - ask for a jail. Returns: 0 and @ready will be called; negative errno: it will not */
int front_jail_new(Front *front, const JailSpec *spec, JailReadyFn ready, void *userdata,
                   FrontJail **ret, Error *err);

/** front_jail_end() - end all of it; @gone may be NULL. Its commands end with cause jail_ended first */
void front_jail_end(FrontJail *jail, JailGoneFn gone, void *userdata);

/** front_jail_find() - by "j-…" as @uid may see it (0 and admins: all); NULL */
FrontJail *front_jail_find(Front *front, const char *id, uint32_t uid);
/** front_jail_id() - "j-…", borrowed */
const char *front_jail_id(const FrontJail *jail);
/** front_jail_handle() - the monitor's handle: for LAYER_UPPER of another plan, and UPPER_DROP */
uint64_t front_jail_handle(const FrontJail *jail);
/** front_jail_limits() - borrowed */
const JailLimits *front_jail_limits(const FrontJail *jail);

typedef struct RootSpec {           /* how plan_root() fills the root view */
        const char *snapshot;       /* "host" or a name */
        const uint8_t (*extra)[32]; /* store layers above the snapshot's, topmost first */
        unsigned n_extra;
} RootSpec;

/** plan_init() - version, user, hostname, limits from @limits; no layer yet */
void plan_init(Plan *plan, const JailLimits *limits);
/** plan_root() - add the root view: snapshot (or skeleton with PLAN_HOST_ROOT) and extra layers */
int plan_root(Front *front, Plan *plan, const RootSpec *root, Error *err);
/** plan_view() - add a view over @n @layers (copied), topmost first */
int plan_view(Plan *plan, uint32_t target, uint32_t flags, const PlanLayer *layers, unsigned n,
              Error *err);

/** front_jail_open() - INIT_OPEN; @done gets the descriptor (owned by it) or the reason */
typedef void (*JailOpenFn)(int fd, uint64_t size, const Error *err, void *userdata);
typedef struct OpenSpec {
        const char *path;
        uint32_t flags; /* InitOpenFlags */
        uint32_t mode;
        uint32_t uid, gid;
} OpenSpec;
int front_jail_open(FrontJail *jail, const OpenSpec *spec, JailOpenFn done, void *userdata,
                    Error *err);

/** front_jail_listen() - INIT_LISTEN; @done gets the listener and its port */
typedef void (*JailListenFn)(int fd, uint32_t port, const Error *err, void *userdata);
int front_jail_listen(FrontJail *jail, uint32_t port, JailListenFn done, void *userdata,
                      Error *err);

/** front_jail_freeze() - freeze (or thaw) all commands by the v2 tree */
int front_jail_freeze(FrontJail *jail, bool on, Error *err);

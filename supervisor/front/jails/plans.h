#pragma once
/*
 * plans: the parts of a Plan that the front fills: user, limits, the root view and further views. The
 * monitor checks the whole again.
 */
#include "supervisor/front/front.h"

typedef struct JailLimits { /* complete, from policy and request; microseconds, bytes */
        PlanLimits plan;
        CommandLimits command;      /* of each command, where narrower than the jail's */
        bool proc_pid;              /* /proc has processes alone: PLAN_PROC_PID */
        uint64_t wall_usec;         /* of the jail */
        uint64_t command_wall_usec; /* defaults of each command */
        uint64_t command_cpu_usec;  /* 0: none */
        uint64_t output_keep;
        uint64_t output_max;
        uint64_t nofile;
        uint64_t fsize;
} JailLimits;

typedef struct RootSpec {           /* how plan_root() fills the root view */
        const char *snapshot;       /* "host" or a name */
        uint32_t uid;               /* who asks: snapshots of others are not found */
        const uint8_t (*extra)[32]; /* store layers above the snapshot's, topmost first */
        unsigned n_extra;
} RootSpec;

/** plan_init() - version, user, hostname, limits from @limits; no layer yet */
void plan_init(Plan *plan, const JailLimits *limits);
/** plan_root() - add the root view: snapshot (or skeleton with PLAN_HOST_ROOT) and extra layers */
int plan_root(Front *front, Plan *plan, const RootSpec *root, Error *err);
/** plan_has_view() - is there one at this place */
bool plan_has_view(const Plan *plan, uint32_t target);
/** plan_store_view() - add a read-only view over @n layers of the store, merged, topmost first */
int plan_store_view(Plan *plan, uint32_t target, const uint8_t (*digests)[32], unsigned n,
                    Error *err);
/** plan_view() - add a view over @n @layers (copied), topmost first */
int plan_view(Plan *plan, uint32_t target, uint32_t flags, const PlanLayer *layers, unsigned n,
              Error *err);

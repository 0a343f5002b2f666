#pragma once
/*
 * gate-plan: the plans of the gate's own jails: a root of snapshot, base and setup layers (and the upper
 * that a files job left, on top), and the views that files jobs get.
 */
#include "supervisor/front/jails/filesjob.h"
#include "supervisor/front/policy/policies.h"

#define GATE_LAYERS_MAX     4
#define GATE_IMPORT_BYTES   (16ull << 30) /* of a base or a setup layer */
#define GATE_IMPORT_ENTRIES 2000000ull

typedef struct GateLayers { /* store layers above a snapshot, topmost first */
        uint8_t digests[GATE_LAYERS_MAX][32];
        unsigned n;
} GateLayers;

typedef struct GateMeter { /* what commands of the gate have used; only grows */
        uint64_t cpu_usec;
        uint64_t output_bytes;
} GateMeter;

typedef struct GateRoot { /* all borrowed for the call */
        const char *snapshot;
        const PolicyUse *policy;
        const JailLimits *limits; /* NULL: the policy's */
        const GateLayers *layers;
        uint64_t upper;      /* handle of an upper that becomes the topmost layer; 0: none */
        const uint8_t *over; /* digest of a layer above even that; NULL: none */
        bool keep_upper;
        GateMeter *meter; /* borrowed until the run has ended; NULL: nobody counts */
        uint32_t owner_uid;
} GateRoot;

/** gate_layers_add() - below what is there already */
void gate_layers_add(GateLayers *layers, const uint8_t *digest);

/** gate_jail_new() - front_jail_new() of such a root; belongs to no client: its caller ends it */
int gate_jail_new(Front *front, const GateRoot *root, JailReadyFn ready, void *userdata,
                  FrontJail **ret, Error *err);

/**
 * gate_root_digest() - what a run in such a jail may depend on besides its commands, snapshot and policy: the
 * layers, how the snapshot's image is run, the limits that hold, and the owner, so that no user's jail speaks
 * for another's. @ret_digest: 32 bytes
 */
int gate_root_digest(Front *front, const GateRoot *root, uint8_t *ret_digest, Error *err);

/** gate_jail_end() - end a jail by its name, where it is still there */
void gate_jail_end(Front *front, const char *id);
/** gate_jail_end_dropping() - likewise; when nothing is left of it, the kept upper @upper goes too */
void gate_jail_end_dropping(Front *front, const char *id, uint64_t upper);
/** gate_upper_drop() - a kept upper is not needed any more; 0 is fine */
void gate_upper_drop(Front *front, uint64_t upper);

/** gate_files_plan() - plan_init() with the limits of policy `files` */
int gate_files_plan(Front *front, Plan *plan, Error *err);

typedef struct GateView {
        uint32_t target;          /* ViewTarget */
        uint32_t flags;           /* VIEW_WRITABLE or 0 */
        uint64_t upper;           /* handle: topmost; 0: none */
        const GateLayers *layers; /* below; NULL: none */
} GateView;

/** gate_view() - add a view; one read-only layer is bound directly, an overlay needs two */
int gate_view(Plan *plan, const GateView *view, Error *err);

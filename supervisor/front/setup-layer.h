#pragma once
/*
 * setup-layer: what the setup commands of a spec make out of a base (installed dependencies, a first
 * build), kept as a layer that lies above the base in the task's jail and under every verify. Made once.
 *
 * The ledger knows it by its commands, the snapshot, the policy and the base as a whole. LIMIT: the spec's
 * `key` files narrow nothing yet (the front does not read a base, and the digest of all of it covers them):
 * a change anywhere in the base runs setup again.
 */
#include "supervisor/front/layer-holds.h"
#include "supervisor/front/spec-run.h"

#define SETUPS_MAX 16 /* layers kept of a user; the one that was used longest ago goes */

typedef struct SetupLayer SetupLayer;

/** SetupLayerFn - once; @digest: held for the receiver; NULL with @err; @detail: output of what failed, or NULL */
typedef void (*SetupLayerFn)(const uint8_t *digest, const Error *err, const char *detail,
                             void *userdata);

typedef struct SetupLayerSpec {
        GateRoot root;           /* borrowed for the call: snapshot and base */
        const VerifySpec *spec;  /* borrowed until the end */
        const uint8_t *snapshot; /* digests */
        const uint8_t *policy;
        SpecRunEventFn event; /* may be NULL; with @userdata */
        SetupLayerFn done;
        void *userdata;
} SetupLayerSpec;

/**
 * setup_layer_get() - from the store, or by running the setup commands
 * @ret_digest: 32 bytes, where it is there already (and is held for the caller now)
 *
 * Returns: 1 and @ret_digest; 0 and @done will be called, unless cancelled; negative errno.
 */
int setup_layer_get(Front *front, Holds *holds, const SetupLayerSpec *spec, uint8_t *ret_digest,
                    SetupLayer **ret, Error *err);
/** setup_layer_cancel() - NULL is fine. Returns: NULL */
SetupLayer *setup_layer_cancel(SetupLayer *setup);
/** setup_layers_evict() - let the one of @uid go that nobody uses now and was used longest ago. Returns: was there one */
bool setup_layers_evict(Front *front, Holds *holds, uint32_t uid);
/** setup_layers_hold() - at start: the layers that the ledger knows are held by the cache */
int setup_layers_hold(Front *front, Holds *holds, Error *err);

#pragma once
/*
 * setup-layer: what the setup commands of a spec make out of a base (installed dependencies, a first
 * build), kept as a layer that lies above the base in the task's jail and under every verify. Made once.
 *
 * The ledger knows it by its commands, the snapshot, the policy and the base as a whole; where each command
 * names the files that it depends on (`key`), by these files in place of the base. Such a layer serves
 * every base that has them alike, unless it would hide a file of that base; where setup changes or removes files
 * of the base it hides some of the very base that it was made of, and is kept for that base alone.
 */
#include "supervisor/front/gate/spec-run.h"
#include "supervisor/front/store/layer-holds.h"

typedef struct SetupLayer SetupLayer;

/** SetupLayerFn - once; @digest: held for the receiver; NULL with @err; @detail: output of what failed, or NULL */
typedef void (*SetupLayerFn)(const uint8_t *digest, const Error *err, const char *detail,
                             void *userdata);

typedef struct SetupLayerSpec {
        GateRoot
                root; /* snapshot and base; pointers borrowed until the end, but layers for the call */
        const VerifySpec *spec;  /* borrowed until the end */
        const uint8_t *snapshot; /* digests; for the call */
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

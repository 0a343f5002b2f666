#pragma once
/*
 * layers: which layers of the store are still needed. Who needs one holds it under a name of his own;
 * what nobody holds any more is removed, now or when what is under way has ended.
 */
#include "sandbox/plan.h"
#include "supervisor/front/front.h"

/** layer_hold() - @holder ("snapshot:…", "gate") needs the layer; holding twice is holding once */
int layer_hold(Front *front, const uint8_t *digest, const char *holder, Error *err);
/**
 * layer_release() - not any more; the last one's layer goes. Not between ledger_begin() and ledger_end()
 * Returns: 0, or negative errno: it is let go of later then
 */
int layer_release(Front *front, const uint8_t *digest, const char *holder, Error *err);
/** layer_let_go() - its rows alone, for who commits more with them, and calls layers_sweep() after that */
int layer_let_go(Front *front, const uint8_t *digest, const char *holder, Error *err);
/** layer_discard() - a layer that was committed, but that nobody came to hold */
int layer_discard(Front *front, const uint8_t *digest, Error *err);
/** layers_discard() - many such, all or none; their rows alone: the next sweep takes them */
int layers_discard(Front *front, uint8_t (*digests)[32], unsigned n, Error *err);
/** layers_sweep() - remove what nobody holds; what was refused comes again by itself */
void layers_sweep(Front *front);
/** layers_jail_ends() - nothing is left of a jail with this plan: the next sweep tries its layers again */
void layers_jail_ends(Front *front, const Plan *plan);

typedef struct LayersCollected {
        unsigned layers;  /* that were removed */
        uint64_t bytes;   /* which they took on disk */
        unsigned waiting; /* a jail stands on: they go when it has ended */
} LayersCollected;

/** LayersCollectedFn - once */
typedef void (*LayersCollectedFn)(const LayersCollected *total, void *userdata);
/**
 * layers_collect_begin() - count what is removed from now on; whatever is let go of now counts
 *
 * Returns: 0, -EBUSY: another one is counting.
 */
int layers_collect_begin(Front *front, LayersCollectedFn done, void *userdata, Error *err);
/** layers_collect_end() - layers_sweep() to its end; @done is called, perhaps before this returns, when all was answered */
void layers_collect_end(Front *front);
/** layers_stop() - forget what was left for a later sweep: the next front finds it in the ledger */
void layers_stop(Front *front);

#pragma once
/*
 * setup-cache: which setup layers are kept, in the ledger, by key, for whom.
 */
#include "base/digest.h"
#include "supervisor/front/store/layer-holds.h"

#define SETUPS_MAX 16 /* layers kept of a user; the one that was used longest ago goes */

typedef struct KeptSetup {
        uint8_t key[DIGEST_SIZE], layer[DIGEST_SIZE];
        uint32_t owner;
        uint64_t bytes; /* on disk; for setup_cache_keep() */
} KeptSetup;

/** setup_cache_find() - by kept->key; it counts as used. Returns: is it there, and then kept->layer */
bool setup_cache_find(Front *front, KeptSetup *kept);
/** setup_cache_keep() - and hold it; where that cannot be, it is said in the log, and setup runs again next time */
void setup_cache_keep(Front *front, Holds *holds, const KeptSetup *kept);
/** setup_layers_evict() - let the one of @uid go that nobody uses now and was used longest ago. Returns: was there one */
bool setup_layers_evict(Front *front, Holds *holds, uint32_t uid);
/** setup_layers_hold() - at start: the layers that the ledger knows are held by the cache */
int setup_layers_hold(Front *front, Holds *holds, Error *err);

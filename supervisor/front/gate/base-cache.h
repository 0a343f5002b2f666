#pragma once
/*
 * base-cache: bases of late verifies, kept so that the next one of the same base need not unpack it again. In
 * memory alone: with the front they are forgotten, and their layers go.
 *
 * A base is known by what its owner calls it, since the front does not read the archive. Whoever says a wrong name
 * gets another base of his own, no one else's; the receipt names the layer that was used.
 */
#include "base/digest.h"
#include "supervisor/front/store/layer-holds.h"

#define BASES_PER_UID_MAX 4 /* the one that was used longest ago goes */
#define BASES_MAX         64

typedef struct BaseCache BaseCache;

/** base_cache_new() - empty. Returns: 0 or -ENOMEM */
int base_cache_new(Holds *holds, BaseCache **ret);
/** base_cache_free() - what it holds goes; NULL is fine. Returns: NULL */
BaseCache *base_cache_free(BaseCache *cache);

/**
 * base_cache_find() - by owner and name
 * @ret_layer: 32 bytes; the caller takes a hold of its own
 *
 * Returns: is it there.
 */
bool base_cache_find(BaseCache *cache, uint32_t uid, const uint8_t *name, uint8_t *ret_layer);
/** base_cache_put() - keep a layer that the caller holds; where that cannot be, it is unpacked again next time */
void base_cache_put(BaseCache *cache, uint32_t uid, const uint8_t *name, const uint8_t *layer);
/** base_cache_evict() - let the one of @uid go that nothing stands on now and was used longest ago. Returns: was there one */
bool base_cache_evict(BaseCache *cache, uint32_t uid);

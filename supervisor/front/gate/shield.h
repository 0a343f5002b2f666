#pragma once
/*
 * shield: what a verify needs of a base besides the base itself, made by warder-files once for all patches: the
 * layer that holds the base's protected files and lies above setup's (hold.h of warder-files), and the listing of
 * which the digest of a patched tree is made. The last ones are kept as long as their base is, in memory alone: with
 * the front they are forgotten, and their layers go.
 */
#include "supervisor/front/gate/work-base.h"
#include "supervisor/front/store/layer-holds.h"

#define SHIELDS_PER_UID_MAX 8 /* the one that was used longest ago goes */
#define SHIELDS_MAX         64
#define SHIELD_LISTINGS_MAX (256ull << 20) /* bytes of all listings; more are not kept */

typedef struct ShieldCache ShieldCache;
typedef struct ShieldJob ShieldJob;

typedef struct Shield { /* held until shield_release() */
        bool is_there;
        bool has_layer; /* something is protected */
        uint32_t owner_uid;
        uint8_t layer[DIGEST_SIZE];
        int listing; /* owned: sealed */
} Shield;

#define SHIELD_NONE ((Shield){ .listing = -EBADF })

/** ShieldFn - once; @shield: owned by the receiver; there is none where it could not be made: the log says why */
typedef void (*ShieldFn)(const Shield *shield, void *userdata);

typedef struct ShieldSpec { /* borrowed for the call */
        const WorkBase *base;
        const VerifySpec *spec;
        uint32_t owner_uid;
        ShieldFn done;
        void *userdata;
} ShieldSpec;

/** shield_cache_new() - empty. Returns: 0 or -ENOMEM */
int shield_cache_new(Holds *holds, ShieldCache **ret);
/** shield_cache_free() - what it holds goes; NULL is fine. Returns: NULL */
ShieldCache *shield_cache_free(ShieldCache *cache);
/** shield_cache_evict() - let the one of @uid go that was used longest ago. Returns: was there one */
bool shield_cache_evict(ShieldCache *cache, uint32_t uid);

/**
 * shield_get() - of a base and the files that a spec protects
 *
 * A verify without one is slower and no weaker: warder-files then does for its patch alone what it would have done
 * for all. So that it cannot be made, for want of room on disk, say, is no error here.
 *
 * Returns: 1 and @ret_shield; 0 and @done will be called, unless cancelled.
 */
int shield_get(Front *front, const ShieldSpec *spec, Shield *ret_shield, ShieldJob **ret);
/** shield_cancel() - NULL is fine. Returns: NULL */
ShieldJob *shield_cancel(ShieldJob *job);
/** shield_release() - let its layer go; none is fine */
void shield_release(Front *front, Shield *shield);

/** shield_layers() - base alone, or setup above base, as work_base_layers(); the shield, where there is one, above both */
GateLayers shield_layers(const Shield *shield, const WorkBase *base, bool with_setup);

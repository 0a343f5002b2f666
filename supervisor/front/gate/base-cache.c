/* base-cache: see base-cache.h. The list is in the order of use, the latest first. */
#include "supervisor/front/gate/base-cache.h"

#include <string.h>

#include "base/owned.h"

typedef struct Kept Kept;

struct Kept {
        Kept *next;
        uint32_t uid;
        uint8_t name[DIGEST_SIZE], layer[DIGEST_SIZE];
};

struct BaseCache {
        Holds *holds; /* borrowed, outlives us */
        Kept *first;  /* owned list */
};

int base_cache_new(Holds *holds, BaseCache **ret) {
        BaseCache *cache = calloc(1, sizeof(*cache));

        if (!cache)
                return -ENOMEM;
        cache->holds = holds;
        *ret = cache;
        return 0;
}

static Kept *take_out(Kept **at) {
        Kept *kept = *at;

        *at = kept->next;
        kept->next = NULL;
        return kept;
}

static void drop(BaseCache *cache, Kept **at) {
        autofree Kept *kept = take_out(at);

        hold_drop(cache->holds, kept->layer, kept->uid);
}

BaseCache *base_cache_free(BaseCache *cache) {
        while (cache && cache->first)
                drop(cache, &cache->first);
        free(cache);
        return NULL;
}

static Kept **find(BaseCache *cache, uint32_t uid, const uint8_t *name) {
        Kept **at = &cache->first;

        while (*at && ((*at)->uid != uid || memcmp((*at)->name, name, DIGEST_SIZE) != 0))
                at = &(*at)->next;
        return at;
}

static void push(BaseCache *cache, Kept *kept) {
        kept->next = cache->first;
        cache->first = kept;
}

bool base_cache_find(BaseCache *cache, uint32_t uid, const uint8_t *name, uint8_t *ret_layer) {
        Kept **at = find(cache, uid, name);

        if (*at && hold_is_damaged(cache->holds, (*at)->layer)) {
                drop(cache, at); /* it is unpacked again, which puts it right */
                return false;
        }
        if (!*at)
                return false;
        memcpy(ret_layer, (*at)->layer, DIGEST_SIZE);
        push(cache, take_out(at));
        return true;
}

/* The last of the list, of one user or of all. Returns: where it is, NULL: none of them */
static Kept **last_of(BaseCache *cache, bool any, uint32_t uid, bool idle, unsigned *ret_n) {
        Kept **found = NULL;

        *ret_n = 0;
        for (Kept **at = &cache->first; *at; at = &(*at)->next) {
                if ((!any && (*at)->uid != uid) ||
                    (idle && hold_is_shared(cache->holds, (*at)->layer, (*at)->uid)))
                        continue;
                ++*ret_n;
                found = at;
        }
        return found;
}

void base_cache_put(BaseCache *cache, uint32_t uid, const uint8_t *name, const uint8_t *layer) {
        Kept *kept, **last;
        unsigned n;

        if (*find(cache, uid, name))
                return;
        kept = calloc(1, sizeof(*kept));
        if (!kept || hold_take(cache->holds, layer, uid, NULL) < 0) {
                free(kept);
                return;
        }
        kept->uid = uid;
        memcpy(kept->name, name, DIGEST_SIZE);
        memcpy(kept->layer, layer, DIGEST_SIZE);
        push(cache, kept);
        last = last_of(cache, false, uid, false, &n);
        if (n > BASES_PER_UID_MAX)
                drop(cache, last);
        last = last_of(cache, true, 0, false, &n);
        if (n > BASES_MAX)
                drop(cache, last);
}

bool base_cache_evict(BaseCache *cache, uint32_t uid) {
        unsigned n;
        Kept **last = last_of(cache, false, uid, true, &n);

        if (last)
                drop(cache, last);
        return last != NULL;
}

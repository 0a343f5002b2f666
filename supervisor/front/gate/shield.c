/*
 * shield: see shield.h. The list of those that are kept is in the order of use, the latest first.
 */
#include "supervisor/front/gate/shield.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fds.h"
#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/store/snapshots.h"
#include "supervisor/front/tasks/tasks.h"

#define WORDS_MAX (4 * VERIFY_GLOBS_MAX + 2)

typedef struct Kept Kept;

struct Kept {
        Kept *next;
        uint8_t key[DIGEST_SIZE], base[DIGEST_SIZE];
        uint64_t bytes; /* of the listing */
        Shield shield;
};

struct ShieldCache {
        Holds *holds; /* borrowed, outlives us */
        Kept *first;  /* owned list */
};

struct ShieldJob {
        Front *front; /* borrowed */
        uint8_t key[DIGEST_SIZE], base[DIGEST_SIZE];
        int listing;        /* owned */
        HoldImport *import; /* owned */
        uint32_t owner_uid;
        ShieldFn done;
        void *userdata;
};

/* ---- those that are kept ------------------------------------------------------------------------- */

static void let_go(Holds *holds, Shield *shield) {
        if (shield->has_layer)
                hold_drop(holds, shield->layer, shield->owner_uid);
        owned_close(&shield->listing);
        *shield = SHIELD_NONE;
}

static void drop(ShieldCache *cache, Kept **at) {
        autofree Kept *kept = *at;

        *at = kept->next;
        let_go(cache->holds, &kept->shield);
}

/* Nobody can ask for the shield of a base that is gone. What goes with it may be told of from within */
static void on_base_gone(const uint8_t *base, uint32_t uid, void *userdata) {
        ShieldCache *cache = userdata;
        Kept **at = &cache->first;

        while (*at) {
                if ((*at)->shield.owner_uid == uid && memcmp((*at)->base, base, DIGEST_SIZE) == 0) {
                        drop(cache, at);
                        at = &cache->first;
                } else {
                        at = &(*at)->next;
                }
        }
}

int shield_cache_new(Holds *holds, ShieldCache **ret) {
        ShieldCache *cache = calloc(1, sizeof(*cache));

        if (!cache)
                return -ENOMEM;
        cache->holds = holds;
        holds_tell(holds, on_base_gone, cache);
        *ret = cache;
        return 0;
}

ShieldCache *shield_cache_free(ShieldCache *cache) {
        if (cache)
                holds_tell(cache->holds, NULL, NULL);
        while (cache && cache->first)
                drop(cache, &cache->first);
        free(cache);
        return NULL;
}

/* The last one of a user, or with @any of all. Returns: where it is, NULL: there is none */
static Kept **last_of(ShieldCache *cache, bool any, uint32_t uid, unsigned *ret_n,
                      uint64_t *ret_bytes) {
        Kept **found = NULL;

        *ret_n = 0;
        *ret_bytes = 0;
        for (Kept **at = &cache->first; *at; at = &(*at)->next) {
                if (!any && (*at)->shield.owner_uid != uid)
                        continue;
                ++*ret_n;
                *ret_bytes += (*at)->bytes;
                found = at;
        }
        return found;
}

bool shield_cache_evict(ShieldCache *cache, uint32_t uid) {
        uint64_t bytes;
        unsigned n;
        Kept **last = last_of(cache, false, uid, &n, &bytes);

        if (last)
                drop(cache, last);
        return last != NULL;
}

static void trim(ShieldCache *cache, uint32_t uid) {
        uint64_t bytes;
        unsigned n;
        Kept **last = last_of(cache, false, uid, &n, &bytes);

        if (n > SHIELDS_PER_UID_MAX)
                drop(cache, last);
        while ((last = last_of(cache, true, 0, &n, &bytes)) &&
               (n > SHIELDS_MAX || bytes > SHIELD_LISTINGS_MAX))
                drop(cache, last);
}

/* One more of the same. Where that cannot be, there is none */
static Shield copy_of(Holds *holds, const Shield *shield) {
        Shield copy = *shield;

        copy.has_layer = false;
        copy.listing = fcntl(shield->listing, F_DUPFD_CLOEXEC, 3);
        if (copy.listing >= 0 && shield->has_layer)
                copy.has_layer = hold_take(holds, copy.layer, copy.owner_uid, NULL) >= 0;
        if (copy.listing < 0 || copy.has_layer != shield->has_layer)
                let_go(holds, &copy);
        return copy;
}

static bool find(ShieldCache *cache, uint32_t uid, const uint8_t *key, Shield *ret) {
        Kept **at = &cache->first, *kept;

        while (*at && ((*at)->shield.owner_uid != uid || memcmp((*at)->key, key, DIGEST_SIZE) != 0))
                at = &(*at)->next;
        kept = *at;
        if (!kept)
                return false;
        *at = kept->next;
        kept->next = cache->first;
        cache->first = kept;
        *ret = copy_of(cache->holds, &kept->shield);
        return ret->is_there;
}

static void keep(ShieldCache *cache, const ShieldJob *job, const Shield *shield, uint64_t bytes) {
        Kept *kept = calloc(1, sizeof(*kept));

        if (!kept)
                return;
        kept->shield = copy_of(cache->holds, shield);
        if (!kept->shield.is_there) {
                free(kept);
                return;
        }
        memcpy(kept->key, job->key, DIGEST_SIZE);
        memcpy(kept->base, job->base, DIGEST_SIZE);
        kept->bytes = bytes;
        kept->next = cache->first;
        cache->first = kept;
        trim(cache, shield->owner_uid);
}

/* ---- making one ---------------------------------------------------------------------------------- */

static ShieldJob *job_free(ShieldJob *job) {
        if (!job)
                return NULL;
        owned_close(&job->listing);
        free(job);
        return NULL;
}
DEFINE_SCOPED(ShieldJob *, job_free);

/* Nothing writes to it any more, the job's jail is gone; and nobody will, though each patch's job gets it. */
static int seal(int listing, uint64_t *ret_bytes, Error *err) {
        struct stat st = { 0 };
        int r = memfd_add_seals(listing);

        if (r == 0 && fstat(listing, &st) < 0)
                r = -errno;
        if (r < 0)
                return error_set(err, r, "seal the listing of a base");
        *ret_bytes = (uint64_t) st.st_size;
        return 0;
}

static void say_none(const Error *err) {
        log_event(LOG_INFO, "a base has no shield: its verifies take longer", F_ERR(err));
}

/* Nothing is protected: a layer of nothing is none */
static void drop_layer(Front *front, Shield *shield) {
        shield->has_layer = false;
        hold_drop(tasks_holds(front->tasks), shield->layer, shield->owner_uid);
}

static void on_made(const LayerImport *import, const Error *err, bool refused, void *userdata) {
        SCOPED(job_free) ShieldJob *job = userdata;
        Shield shield = { .owner_uid = job->owner_uid, .listing = -EBADF };
        uint64_t bytes = 0;
        Error own = ERROR_EMPTY;

        (void) refused;
        job->import = NULL;
        if (!err) {
                memcpy(shield.layer, import->digest, DIGEST_SIZE);
                shield.is_there = shield.has_layer = true;
                shield.listing = TAKE_FD(job->listing);
                if (seal(shield.listing, &bytes, &own) < 0)
                        let_go(tasks_holds(job->front->tasks), &shield);
                else if (import->entries <= 1) /* the root is one */
                        drop_layer(job->front, &shield);
        }
        if (shield.is_there)
                keep(tasks_shields(job->front->tasks), job, &shield, bytes);
        else
                say_none(err ? err : &own);
        job->done(&shield, job->userdata);
}

static void add_globs(const char **words, unsigned *n, const char *option, const char *const *globs,
                      unsigned n_globs) {
        for (unsigned i = 0; i < n_globs; i++) {
                words[(*n)++] = option;
                words[(*n)++] = globs[i];
        }
}

static int make_key(const uint8_t *base, const char *const *words, uint8_t *ret_key) {
        Digest *digest = NULL;
        int r = digest_new(&digest);

        if (r < 0)
                return r;
        digest_add(digest, base, DIGEST_SIZE);
        for (; *words; words++)
                digest_add(digest, *words, strlen(*words) + 1);
        digest_end(digest, ret_key);
        digest_free(digest);
        return 0;
}

/* It cannot be larger than the base; where nobody knows how large that is, others get their share too */
static int start(ShieldJob *job, const ShieldSpec *spec, const char *const *words, Error *err) {
        LayerShield shield = { .base = spec->base->base, .words = words };
        LayerImportSpec import = { .input_fd = -EBADF,
                                   .shield = &shield,
                                   .owner_uid = spec->owner_uid };
        uint64_t left;
        int r = snapshots_left(job->front, spec->owner_uid, &left, err);

        if (r < 0)
                return r;
        import.max_disk = spec->base->bytes ? spec->base->bytes : left / 4;
        if (import.max_disk > left)
                import.max_disk = left;
        job->listing = memfd_new("listing", false, err);
        if (job->listing < 0)
                return job->listing;
        shield.listing_fd = job->listing;
        return hold_import(tasks_holds(job->front->tasks), &import, on_made, job, &job->import,
                           err);
}

int shield_get(Front *front, const ShieldSpec *spec, Shield *ret_shield, ShieldJob **ret) {
        SCOPED(job_free) ShieldJob *job = calloc(1, sizeof(*job));
        const char *words[WORDS_MAX];
        Error err = ERROR_EMPTY;
        unsigned n = 0;
        int r;

        *ret_shield = SHIELD_NONE;
        if (!job)
                return 1;
        *job = (ShieldJob){ .front = front,
                            .listing = -EBADF,
                            .owner_uid = spec->owner_uid,
                            .done = spec->done,
                            .userdata = spec->userdata };
        memcpy(job->base, spec->base->base, DIGEST_SIZE);
        words[n++] = "work";
        add_globs(words, &n, "--protect", spec->spec->protect, spec->spec->n_protect);
        add_globs(words, &n, "--allow", spec->spec->allow, spec->spec->n_allow);
        words[n] = NULL;
        if (make_key(spec->base->base, words, job->key) < 0 ||
            find(tasks_shields(front->tasks), spec->owner_uid, job->key, ret_shield))
                return 1;
        r = start(job, spec, words, &err);
        if (r < 0) {
                say_none(&err);
                return 1;
        }
        *ret = TAKE_PTR(job);
        return 0;
}

ShieldJob *shield_cancel(ShieldJob *job) {
        if (!job)
                return NULL;
        hold_import_cancel(job->import);
        return job_free(job);
}

void shield_release(Front *front, Shield *shield) {
        let_go(tasks_holds(front->tasks), shield);
}

GateLayers shield_layers(const Shield *shield, const WorkBase *base, bool with_setup) {
        GateLayers layers = { .n = 0 }, below = work_base_layers(base, with_setup);

        if (shield->has_layer)
                gate_layers_add(&layers, shield->layer);
        for (unsigned i = 0; i < below.n; i++)
                gate_layers_add(&layers, below.digests[i]);
        return layers;
}

/*
 * pools: see pools.h.
 *
 * One look at all pools decides everything: what no longer is what a create would get goes, what is missing is
 * made, MAKING_MAX jails at a time. A look comes a moment after something changed (a jail was taken, made or
 * ended, a setting), and each POOLS_LOOK_USEC while any pool is awake, because policies, ceilings and snapshots change in many
 * ways. That it may be late is no fault: a jail is compared once more, with what its taker would be given now, when it
 * is taken.
 *
 * A pool sleeps from the front's start until its owner shows up: which groups' ceilings hold for it is the kernel's
 * word on its connection, and nobody else's. A private front, which serves one call and goes, waits for a create
 * that fits or a new setting.
 *
 * A jail of a pool is nobody's yet: no list shows it, no id finds it, its wall clock stands still.
 */
#include "supervisor/front/jails/pools.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/jails/jails.h"
#include "supervisor/front/jails/pool-jails.h"
#include "supervisor/front/jails/pool-ledger.h"
#include "supervisor/front/policy/turns.h"

#define MAKING_MAX    2
#define REFILL_USEC   20000 /* after one was taken: a burst is not slowed by its own refill */
#define LOOK_ACCURACY 2000

/* ---- when to look --------------------------------------------------------------------------------- */

void pools_look_in(Pools *pools, uint64_t usec) {
        uint64_t at = units_monotonic() + usec;

        if (pools->next_usec && pools->next_usec <= at)
                return;
        pools->next_usec = at;
        (void) sd_event_source_set_time(pools->timer, at);
        (void) sd_event_source_set_enabled(pools->timer, SD_EVENT_ONESHOT);
}

/* ---- a look --------------------------------------------------------------------------------------- */

static int fill(Pools *pools, Pool *pool, const PlanLimits *limits, Error *err) {
        int r = 0;

        while (r >= 0 && pool->n < pool->size && pools->making < MAKING_MAX) {
                SCOPED(pool_want_deinit) PoolWant want = POOL_WANT_EMPTY;

                if (!turn_has_room(pools->front, pool->key.uid, limits))
                        return error_say(err, -EBUSY,
                                         "no room: the quota of its owner or the host is full");
                r = pool_want_init(pools->front, &pool->key, &want, err);
                if (r >= 0)
                        r = pool_jail_make(pools, pool, &want, err);
        }
        return r;
}

static void look_at(Pools *pools, Pool *pool) {
        SCOPED(pool_want_deinit) PoolWant want = POOL_WANT_EMPTY;
        Error err = ERROR_EMPTY;
        int r = pool_want_init(pools->front, &pool->key, &want, &err);

        pool_jails_drain(pool, r < 0 ? NULL : &want);
        if (r >= 0)
                r = fill(pools, pool, &want.limits.plan, &err);
        if (r < 0 || pool->n_ready == pool->size)
                (void) snprintf(pool->fault, sizeof pool->fault, "%s", err.text);
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata) {
        Pools *pools = userdata;
        bool is_awake = false;

        (void) source;
        (void) usec;
        pools->next_usec = 0;
        for (Pool *pool = pools->first; pool; pool = pool->next) {
                if (pool->awake)
                        look_at(pools, pool);
                is_awake |= pool->awake;
        }
        if (is_awake)
                pools_look_in(pools, POOLS_LOOK_USEC);
        return 0;
}

/* ---- settings ------------------------------------------------------------------------------------- */

static Pool *find(const Pools *pools, const PoolKey *key) {
        Pool *pool = pools->first;

        while (pool &&
               (pool->key.uid != key->uid || strcmp(pool->key.snapshot, key->snapshot) != 0 ||
                strcmp(pool->key.policy, key->policy) != 0))
                pool = pool->next;
        return pool;
}

static int add(Pools *pools, const PoolKey *key, unsigned size, Pool **ret, Error *err) {
        Pool *pool = calloc(1, sizeof *pool);

        if (!pool)
                return error_set(err, -ENOMEM, "keep a pool");
        *pool = (Pool){ .next = pools->first, .key = *key, .size = size };
        pool->last = &pool->first;
        pools->first = pool;
        if (ret)
                *ret = pool;
        return 0;
}

static int on_row(const PoolKey *key, unsigned size, void *userdata, Error *err) {
        return add(userdata, key, size, NULL, err);
}

int pools_new(Front *front, Pools **ret, Error *err) {
        SCOPED(pools_free) Pools *pools = calloc(1, sizeof *pools);
        int r;

        if (!pools)
                return error_set(err, -ENOMEM, "keep pools");
        pools->front = front;
        r = sd_event_add_time_relative(front->event, &pools->timer, CLOCK_MONOTONIC, 0,
                                       LOOK_ACCURACY, on_look, pools);
        if (r >= 0)
                r = sd_event_source_set_enabled(pools->timer, SD_EVENT_OFF);
        if (r < 0)
                return error_set(err, r, "watch the pools");
        (void) sd_event_source_set_description(pools->timer, "pools");
        r = pool_ledger_each(front, on_row, pools, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(pools);
        return 0;
}

Pools *pools_free(Pools *pools) {
        if (!pools)
                return NULL;
        while (pools->first) {
                Pool *pool = pools->first;

                pools->first = pool->next;
                pool_jails_free(pool->first);
                free(pool);
        }
        pool_jails_free(pools->given_up);
        sd_event_source_disable_unref(pools->timer);
        free(pools);
        return NULL;
}

static int check_count(const Pools *pools, uint32_t uid, Error *err) {
        unsigned own = 0, all = 0;

        for (const Pool *pool = pools->first; pool; pool = pool->next) {
                own += pool->key.uid == uid;
                all++;
        }
        if (own >= POOLS_PER_UID_MAX)
                return error_say(err, -EDQUOT, "you have %u pools, and may have no more", own);
        return all < POOLS_MAX ? 0 : error_say(err, -EBUSY, "this host keeps no more pools");
}

static int drop(Pools *pools, Pool *pool, Error *err) {
        Pool **at = &pools->first;
        int r;

        r = pool_ledger_set(pools->front, &pool->key, 0, err);
        if (r < 0)
                return r;
        pool_jails_drain(pool, NULL);
        while (*at != pool)
                at = &(*at)->next;
        *at = pool->next;
        free(pool);
        return 0;
}

int pools_set(Front *front, const PoolKey *key, unsigned size, Error *err) {
        SCOPED(pool_want_deinit) PoolWant want = POOL_WANT_EMPTY;
        Pools *pools = front->pools;
        Pool *pool = find(pools, key);
        int r = 0;

        if (size == 0)
                return pool ? drop(pools, pool, err)
                            : error_say(err, -ENOENT,
                                        "there is no pool of %s with policy %s: see `warder pool "
                                        "show`",
                                        key->snapshot, key->policy);
        r = pool_want_init(front, key, &want, err);
        if (r >= 0 && !pool)
                r = check_count(pools, key->uid, err);
        if (r >= 0)
                r = pool_ledger_set(front, key, size, err);
        if (r >= 0 && !pool)
                r = add(pools, key, size, &pool, err);
        if (r < 0)
                return r;
        pool->size = size;
        pool->awake = true;
        pools_look_in(pools, 0);
        return 0;
}

void pools_each(const Pools *pools, uint32_t uid, PoolFn each, void *userdata) {
        for (const Pool *pool = pools->first; pool; pool = pool->next) {
                const PoolView view = { &pool->key,    pool->size,
                                        pool->n_ready, pool->n - pool->n_ready,
                                        pool->taken,   pool->missed,
                                        pool->fault };

                if (uid == 0 || pool->key.uid == uid)
                        each(&view, userdata);
        }
}

/* ---- giving away ---------------------------------------------------------------------------------- */

FrontJail *pools_look_up(Front *front, const PoolKey *key, const PoolWant *want) {
        Pool *pool = find(front->pools, key);

        if (!pool)
                return NULL;
        pool->awake = true;
        pools_look_in(front->pools, REFILL_USEC);
        for (PoolJail *entry = pool->first; entry; entry = entry->next)
                if (entry->ready && front_jail_state(entry->jail) == FRONT_JAIL_READY &&
                    pool_want_is(want, &entry->want))
                        return entry->jail;
        pool->missed++;
        return NULL;
}

static PoolJail *find_jail(const Pools *pools, const FrontJail *jail) {
        for (Pool *pool = pools->first; pool; pool = pool->next)
                for (PoolJail *entry = pool->first; entry; entry = entry->next)
                        if (entry->jail == jail)
                                return entry;
        return NULL;
}

void pools_take(Front *front, FrontJail *jail) {
        PoolJail *entry = find_jail(front->pools, jail);

        entry->pool->taken++;
        pool_jail_leave(entry);
        pools_look_in(front->pools, REFILL_USEC);
}

/* The newest: of the oldest it is known longest that they work. @uid: UINT32_MAX: anybody's */
static bool let_one_go(Pools *pools, uint32_t uid) {
        for (Pool *pool = pools->first; pool; pool = pool->next) {
                PoolJail *entry = pool->first;

                if (!entry || (uid != UINT32_MAX && pool->key.uid != uid))
                        continue;
                while (entry->next)
                        entry = entry->next;
                pool_jail_let_go(entry);
                pools_look_in(pools, POOLS_LOOK_USEC);
                return true;
        }
        return false;
}

void pools_each_jail(const Front *front, uint32_t uid, PoolLimitsFn each, void *userdata) {
        for (const Pool *pool = front->pools->first; pool; pool = pool->next)
                for (const PoolJail *entry = pool->first; pool->key.uid == uid && entry;
                     entry = entry->next)
                        if (front_jail_state(entry->jail) != FRONT_JAIL_ENDING)
                                each(&entry->want.limits.plan, userdata);
}

bool pools_let_go(Front *front, uint32_t uid) {
        return let_one_go(front->pools, uid);
}

bool pools_let_go_any(Front *front) {
        return let_one_go(front->pools, UINT32_MAX);
}

void pools_owner_came(Front *front, uint32_t uid) {
        if (front->info.private_call)
                return;
        for (Pool *pool = front->pools->first; pool; pool = pool->next) {
                if (pool->key.uid != uid || pool->awake)
                        continue;
                pool->awake = true;
                pools_look_in(front->pools, 0);
        }
}

unsigned pools_jails(const Pools *pools) {
        return pools->n_jails;
}

#pragma once
/*
 * pools: complete jails made ahead, each pool for one user, snapshot and policy (`pool.set`). A create that wants
 * exactly what a jail of a pool is takes it; the pool is refilled a moment later. Jails of a pool count as their
 * owner's from the start, and go first where the owner or the host needs their room.
 */
#include "base/owned.h"
#include "supervisor/front/jails/pool-ledger.h"

typedef struct Pools Pools;

#define POOLS_PER_UID_MAX 16

/** pools_new() - with the settings of the ledger; none is filled before its owner shows up (pools_owner_came()) */
int pools_new(Front *front, Pools **ret, Error *err);
/** pools_free() - after the jails; NULL is fine. Returns: NULL */
Pools *pools_free(Pools *pools);
DEFINE_SCOPED(Pools *, pools_free);

/**
 * pools_set() - have @size jails ready for this key; 0: none any more, and forget it
 * Returns: 0; -ENOENT: no such snapshot or policy (or pool, for 0); -EPERM; -EDQUOT: too many pools; -EIO.
 */
int pools_set(Front *front, const PoolKey *key, unsigned size, Error *err);

/** PoolView - one pool, for people */
typedef struct PoolView {
        const PoolKey *key;
        unsigned size, ready, making;
        uint64_t taken,
                missed;    /* creates since the front's start that got one of its jails, or none */
        const char *fault; /* why it is not full, "": it is, or will be */
} PoolView;

/** PoolFn - @view is borrowed */
typedef void (*PoolFn)(const PoolView *view, void *userdata);
/** pools_each() - those of @uid, of all where it is 0 */
void pools_each(const Pools *pools, uint32_t uid, PoolFn each, void *userdata);

/**
 * pools_look_up() - is a jail ready for this create; changes nothing but the counts
 * @key:  of the request
 * @want: what it would be given
 *
 * Returns: one that is READY, for front_jail_adopt() after pools_take(); NULL: there is none.
 */
FrontJail *pools_look_up(Front *front, const PoolKey *key, const PoolWant *want);
/** pools_take() - that one is its caller's now */
void pools_take(Front *front, FrontJail *jail);

/** PoolLimitsFn - @limits is borrowed for the call */
typedef void (*PoolLimitsFn)(const PlanLimits *limits, void *userdata);
/** pools_each_jail() - the limits of each jail in pools of this user: those being made, and none that is ending already */
void pools_each_jail(const Front *front, uint32_t uid, PoolLimitsFn each, void *userdata);
/** pools_let_go() - end a jail of a pool of this user. Returns: was there one */
bool pools_let_go(Front *front, uint32_t uid);
/** pools_let_go_any() - of anybody's, since somebody waits for room on the host. Returns: was there one */
bool pools_let_go_any(Front *front);
/** pools_owner_came() - a user has connected: what ceilings hold for it is known now */
void pools_owner_came(Front *front, uint32_t uid);
/** pools_jails() - how many jails are in pools, those being made included */
unsigned pools_jails(const Pools *pools);

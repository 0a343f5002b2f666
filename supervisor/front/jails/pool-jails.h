#pragma once
/*
 * pool-jails: the jails of one pool: made, ready, given up, gone. What pools.c decides is done here.
 */
#include "supervisor/front/jails/pool-want.h"
#include "supervisor/front/jails/pools.h"

#define POOLS_LOOK_USEC 1000000

typedef struct Pool Pool;
typedef struct PoolJail PoolJail;

struct PoolJail {
        PoolJail *next;
        Pools *pools; /* borrowed */
        Pool *pool;   /* borrowed; NULL: given up while it was being made */
        FrontJail *jail;
        bool ready;
        PoolWant want; /* as it was made; its image is owned here */
};

struct Pool {
        Pool *next;
        PoolKey key;
        unsigned size;
        bool awake;
        unsigned n, n_ready;
        PoolJail *first, **last; /* owned, the oldest first */
        uint64_t taken, missed;
        char fault[ERROR_TEXT_MAX];
};

struct Pools {
        Front *front;             /* borrowed, outlives us */
        Pool *first;              /* owned */
        PoolJail *given_up;       /* owned, until the monitor has answered */
        unsigned n_jails, making; /* of all pools, those given up included */
        sd_event_source *timer;   /* owned */
        uint64_t next_usec;       /* when it comes; 0: it does not */
};

/** pools_look_in() - look at all pools so much later, or before; see pools.c */
void pools_look_in(Pools *pools, uint64_t usec);

/** pool_jail_make() - one more. @want: consumed where it succeeds. Returns: 0 or negative errno */
int pool_jail_make(Pools *pools, Pool *pool, PoolWant *want, Error *err);
/** pool_jail_leave() - it is the pool's no more. One that is being made is freed when it is known why it was not */
void pool_jail_leave(PoolJail *entry);
/** pool_jail_let_go() - the same, and it is ended */
void pool_jail_let_go(PoolJail *entry);
/** pool_jails_drain() - what is not what a create would get now, or is too many, goes. @want: NULL: nothing may be there */
void pool_jails_drain(Pool *pool, const PoolWant *want);
/** pool_jails_free() - a whole list, after the jails */
void pool_jails_free(PoolJail *entry);

#pragma once
/*
 * id-ranges: ranges of 65,536 host ids out of one pool. Range 0 is the store's: what layers hold is owned in
 * it, and no process ever runs with it, so supervisors share it. Every other range belongs to one supervisor
 * as long as that holds the range's lock file, and to at most one jail at a time.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define IDS_RANGES_MAX 4096u

typedef struct IdRange {
        int lock; /* owned: flock of its file; -EBADF: not ours */
        int mapped; /* owned: user namespace that maps the store range to this one, made once; or -EBADF */
        uint32_t next_free; /* of those that are ours and nobody's; 0: the last */
        uint32_t users;     /* jails that have it, or 1 for single ids */
        bool barred;        /* another's: not tried again */
} IdRange;

typedef struct IdPool {
        int dir;         /* borrowed: of the lock files */
        uint32_t base;   /* first id of the pool, which is the store's first */
        uint32_t n;      /* ranges, the store's included, after shrinking */
        IdRange *ranges; /* owned: n of them */
        uint32_t free;   /* the first of those; 0: none */
        uint32_t cursor; /* the next to look at where none is */
        uint32_t single; /* range that single ids are taken from; 0: none yet */
        uint32_t n_single;
} IdPool;

#define ID_POOL_EMPTY ((IdPool){ .dir = -EBADF })

/**
 * ids_init() - shrink the pool to what this host offers, refuse what /etc/subuid gives away, take range 0
 * @dir: borrowed
 * Returns: 0 or negative errno, with the reason where no range for a jail is left.
 */
int ids_init(IdPool *pool, int dir, uint32_t base, uint32_t n, Error *err);
/** ids_deinit() - give everything back */
void ids_deinit(IdPool *pool);

/** ids_take() - a range that no jail alive has. Returns: its index, or -EAGAIN where all are taken */
int ids_take(IdPool *pool, Error *err);
/** ids_share() - one more jail with a range that is taken */
void ids_share(IdPool *pool, int range);
/** ids_give() - one of the range's jails is gone; the lock stays ours, for the next jail */
void ids_give(IdPool *pool, int range);
/** ids_first() - first host id of a range */
uint32_t ids_first(const IdPool *pool, int range);
/** ids_single() - @n consecutive ids out of one range set aside for that */
int ids_single(IdPool *pool, uint32_t n, uint32_t *ret_first, Error *err);

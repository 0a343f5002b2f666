/*
 * pool-jails: see pool-jails.h.
 */
#include "supervisor/front/jails/pool-jails.h"

#include <stdio.h>

#include "base/owned.h"
#include "supervisor/front/jails/jails.h"

static PoolJail *pool_jail_free(PoolJail *entry) {
        if (!entry)
                return NULL;
        pool_want_deinit(&entry->want);
        free(entry);
        return NULL;
}
DEFINE_SCOPED(PoolJail *, pool_jail_free);

static void push(Pool *pool, PoolJail *entry) {
        *pool->last = entry;
        pool->last = &entry->next;
        pool->n++;
        entry->pools->n_jails++;
}

static void unlink_entry(PoolJail *entry) {
        Pool *pool = entry->pool;
        PoolJail **at = pool ? &pool->first : &entry->pools->given_up;

        while (*at != entry)
                at = &(*at)->next;
        *at = entry->next;
        entry->pools->n_jails--;
        if (!pool)
                return;
        if (pool->last == &entry->next)
                pool->last = at;
        pool->n--;
        pool->n_ready -= entry->ready;
}

/* It ended without our asking: a look makes another, later, lest one that dies at once is made for ever. */
static void on_gone(void *userdata) {
        PoolJail *entry = userdata;

        pools_look_in(entry->pools, POOLS_LOOK_USEC);
        unlink_entry(entry);
        pool_jail_free(entry);
}

void pool_jail_leave(PoolJail *entry) {
        unlink_entry(entry);
        if (entry->ready) {
                front_jail_unwatch(entry->jail, on_gone, entry);
                pool_jail_free(entry);
                return;
        }
        entry->pool = NULL;
        entry->next = entry->pools->given_up;
        entry->pools->given_up = entry;
        entry->pools->n_jails++;
}

void pool_jail_let_go(PoolJail *entry) {
        FrontJail *jail = entry->jail;

        pool_jail_leave(entry);
        front_jail_end(jail, NULL, NULL);
}

static void on_ready(FrontJail *jail, const Error *err, void *userdata) {
        PoolJail *entry = userdata;
        Pools *pools = entry->pools;

        pools->making--;
        if (err && entry->pool)
                (void) snprintf(entry->pool->fault, sizeof entry->pool->fault, "%s", err->text);
        if (err) {
                pools_look_in(pools, POOLS_LOOK_USEC);
                unlink_entry(entry);
                pool_jail_free(entry);
                return;
        }
        entry->ready = true;
        entry->pool->n_ready++;
        pools_look_in(pools, 0);
        if (front_jail_watch(jail, on_gone, entry) < 0)
                pool_jail_let_go(entry);
}

int pool_jail_make(Pools *pools, Pool *pool, PoolWant *want, Error *err) {
        SCOPED(pool_jail_free) PoolJail *entry = calloc(1, sizeof *entry);
        JailSpec spec = { .plan = want->plan,
                          .filter_fd = want->filter,
                          .limits = want->limits,
                          .snapshot = pool->key.snapshot,
                          .image = want->image,
                          .policy = pool->key.policy,
                          .owner_uid = pool->key.uid,
                          .ahead = true };
        int r;

        if (!entry)
                return error_set(err, -ENOMEM, "make a jail for a pool");
        entry->pools = pools;
        entry->pool = pool;
        r = front_jail_new(pools->front, &spec, on_ready, entry, &entry->jail, err);
        if (r < 0)
                return r;
        entry->want = *want;
        want->image = NULL;
        pools->making++;
        push(pool, TAKE_PTR(entry));
        return 0;
}

void pool_jails_drain(Pool *pool, const PoolWant *want) {
        unsigned kept = 0;

        for (PoolJail *entry = pool->first, *next; entry; entry = next) {
                next = entry->next;
                if (!want || kept >= pool->size || !pool_want_is(want, &entry->want))
                        pool_jail_let_go(entry);
                else
                        kept++;
        }
}

void pool_jails_free(PoolJail *entry) {
        while (entry) {
                PoolJail *next = entry->next;

                pool_jail_free(entry);
                entry = next;
        }
}

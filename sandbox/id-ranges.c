/*
 * id-ranges: see id-ranges.h.
 *
 * A range that a jail has left is reused by the next one: nothing outside a jail is ever owned by it but
 * kept uppers, which only the monitor can reach. Lock files go with the supervisor that held them; who locks
 * one looks whether it still has its name, else two would have the range. That of the store's range stays,
 * because several may share it.
 */
#include "sandbox/id-ranges.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/id-offer.h"
#include "sandbox/plan.h"

static void bar(void *userdata, uint32_t range) {
        IdPool *pool = userdata;

        pool->ranges[range].barred = true;
}

/* Takes the lock of a range. Returns: 0, -EWOULDBLOCK where another supervisor has it, or negative errno. */
static int lock_range(IdPool *pool, uint32_t i, int how) {
        struct stat st = { .st_nlink = 0 };
        char name[16];

        (void) snprintf(name, sizeof(name), "%u", pool->base + i * JAIL_IDS);
        while (st.st_nlink == 0) { /* another one took the name away while we waited */
                autoclose int fd =
                        openat(pool->dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

                if (fd < 0 || flock(fd, how | LOCK_NB) < 0 || fstat(fd, &st) < 0)
                        return -errno;
                if (st.st_nlink > 0)
                        pool->ranges[i].lock = TAKE_FD(fd);
        }
        return 0;
}

int ids_init(IdPool *pool, int dir, uint32_t base, uint32_t n, Error *err) {
        uint32_t i, gids;
        int r;

        if (base < JAIL_IDS || n > IDS_RANGES_MAX || base + (uint64_t) n * JAIL_IDS > UINT32_MAX)
                return error_say(err, -EINVAL, "id pool from %u with %u ranges is out of bounds",
                                 base, n);
        gids = id_offer_ranges(base, n);
        if (gids < 2)
                return error_say(err, -ENOSPC,
                                 "this host's own id map offers no range of 65,536 ids from %u: "
                                 "choose another pool",
                                 base);
        pool->ranges = calloc(gids, sizeof(IdRange));
        if (!pool->ranges)
                return -ENOMEM;
        pool->dir = dir;
        pool->base = base;
        pool->n = gids;
        for (i = 0; i < pool->n; i++)
                pool->ranges[i].lock = pool->ranges[i].mapped = -EBADF;
        id_offer_given_away(base, pool->n, bar, pool);
        if (pool->ranges[0].barred)
                return error_say(err, -EBUSY,
                                 "the store's ids from %u overlap /etc/subuid: choose another pool",
                                 base);
        r = lock_range(pool, 0, LOCK_SH);
        return r < 0 ? error_set(err, r, "lock the store's id range") : 0;
}

void ids_deinit(IdPool *pool) {
        char name[16];
        uint32_t i;

        for (i = 0; i < pool->n; i++) {
                (void) snprintf(name, sizeof(name), "%u", pool->base + i * JAIL_IDS);
                if (i > 0 && pool->ranges[i].lock >= 0)
                        (void) unlinkat(pool->dir, name, 0);
                fds_close(&pool->ranges[i].lock, 1);
                fds_close(&pool->ranges[i].mapped, 1);
        }
        free(pool->ranges);
        *pool = ID_POOL_EMPTY;
}

/* The one that was left last: what the kernel keeps of it is at hand. Else the next that nobody has locked. */
int ids_take(IdPool *pool, Error *err) {
        uint32_t tried, i = pool->free;
        int r;

        if (i > 0) {
                pool->free = pool->ranges[i].next_free;
                pool->ranges[i].users = 1;
                return (int) i;
        }
        for (tried = 1; tried < pool->n; tried++) {
                i = 1 + pool->cursor++ % (pool->n - 1);
                if (pool->ranges[i].lock >= 0 || pool->ranges[i].barred)
                        continue;
                r = lock_range(pool, i, LOCK_EX);
                if (r == -EWOULDBLOCK)
                        continue;
                if (r < 0)
                        return error_set(err, r, "lock an id range");
                pool->ranges[i].users = 1;
                return (int) i;
        }
        return error_say(err, -EAGAIN, "all %u id ranges of the pool are in use: end some jails",
                         pool->n);
}

void ids_share(IdPool *pool, int range) {
        pool->ranges[range].users++;
}

void ids_give(IdPool *pool, int range) {
        if (range <= 0 || --pool->ranges[range].users > 0)
                return;
        pool->ranges[range].next_free = pool->free;
        pool->free = (uint32_t) range;
}

uint32_t ids_first(const IdPool *pool, int range) {
        return pool->base + (uint32_t) range * JAIL_IDS;
}

int ids_single(IdPool *pool, uint32_t n, uint32_t *ret_first, Error *err) {
        int range;

        if (pool->single == 0) {
                range = ids_take(pool, err);
                if (range < 0)
                        return range;
                pool->single = (uint32_t) range;
        }
        if (n > JAIL_IDS - pool->n_single)
                return error_say(err, -ENOSPC, "no %u single ids are left in the pool", n);
        *ret_first = ids_first(pool, (int) pool->single) + pool->n_single;
        pool->n_single += n;
        return 0;
}

#pragma once
/*
 * jail-still: a jail that stands still: all its commands are frozen by the v2 tree, and their clocks and the
 * jail's own are stopped. Its user may want that (jail.freeze), and so may the supervisor itself for a while: to
 * see files that nobody changes, or because a task waits for a person. Who wants it is counted: it runs
 * again when each of them has let go.
 */
#include "supervisor/front/front.h"

typedef struct StillWait StillWait;

typedef struct JailStill { /* {0}: it runs */
        unsigned holders;
        bool by_user;        /* one of them is its user */
        uint64_t since_usec; /* monotonic, while it is held */
        uint64_t total_usec; /* of the times before */
        StillWait *wait;     /* owned: who waits until the kernel has stopped the last process */
} JailStill;

/** front_jail_freeze() - hold all that runs in a jail, or let go; each who held it lets go once. Returns: 0 or negative errno */
int front_jail_freeze(FrontJail *jail, bool on, Error *err);

/** jail_still_set() - its user wants it frozen, or not; twice is the same as once. Returns: 0 or negative errno */
int jail_still_set(FrontJail *jail, bool on, Error *err);

/** front_jail_is_frozen() - by its user: no command starts in it */
bool front_jail_is_frozen(const FrontJail *jail);

/** front_jail_frozen_usec() - how long it has stood still, whoever held it, now included */
uint64_t front_jail_frozen_usec(const FrontJail *jail);

/** jail_still_is_settled() - does the kernel say that every process of its commands stands still */
bool jail_still_is_settled(const FrontJail *jail);

/** JailStillFn - once; @settled: as jail_still_is_settled(). @jail NULL: it has ended */
typedef void (*JailStillFn)(FrontJail *jail, bool settled, void *userdata);

/**
 * jail_still_await() - be told when every process stands still
 *
 * A process in the middle of an uninterruptible call stops at its end only, so after two seconds @done is called
 * all the same; likewise when the jail is let go meanwhile. One waits at a time.
 *
 * Returns: 0 and @done will be called; -EBUSY: somebody waits already; or negative errno.
 * Source:  cgroup v2 guide, cgroup.events: a change of "frozen" is a POLLPRI of the file.
 */
int jail_still_await(FrontJail *jail, JailStillFn done, void *userdata, Error *err);

/** jail_still_deinit() - the jail is gone; who waits is told */
void jail_still_deinit(JailStill *still);

#pragma once
/*
 * jail-still: a jail that stands still: all its commands are frozen by the v2 tree, and their clocks and the
 * jail's own are stopped. They are not copied, and no program is asked to bring what it holds in memory to its files.
 * Its user may want that (jail.freeze), and so may the supervisor itself for a while: to see files that nobody
 * changes, or because a task waits for a person. Each who wants it has a hold, and it runs again when the last is let go.
 *
 * A hold is of that very jail, not of whichever has its name: a workspace's next jail has the same.
 */
#include "supervisor/front/front.h"

typedef struct JailHold JailHold;

typedef struct JailStill {   /* {0}: it runs */
        JailHold *holds;     /* list, each owned by who wants it */
        JailHold *user;      /* owned: that of its user, which is one of them */
        uint64_t since_usec; /* monotonic, while it is held */
        uint64_t total_usec; /* of the times before */
} JailStill;

#define JAIL_STILL_READ_USEC \
        10000000u /* so long its files' reader waits for a call of the kernel */

/** jail_hold_new() - freeze what runs in @jail, until it is let go. Returns: 0, -ESRCH: it has ended, negative errno */
int jail_hold_new(FrontJail *jail, JailHold **ret, Error *err);

/** jail_hold_free() - let go; a wait is given up without a word. A jail that has ended, and NULL, are fine. Returns: NULL */
JailHold *jail_hold_free(JailHold *hold);
DEFINE_SCOPED(JailHold *, jail_hold_free);

/** jail_hold_jail() - which it holds, READY; NULL: it has ended */
FrontJail *jail_hold_jail(const JailHold *hold);

/**
 * JailStillFn - once
 * @jail: NULL: it has ended
 * @err:  NULL: every process stands still. Else -ESRCH: it has ended; -EBUSY: one is in a call of the kernel
 *        that takes long; -ECANCELED: its user has let it go
 *
 * The hold stays, and may be freed from here.
 */
typedef void (*JailStillFn)(FrontJail *jail, const Error *err, void *userdata);

/**
 * jail_hold_await() - be told when every process stands still
 *
 * One that is in the middle of a call of the kernel goes on until that ends. So what it is writing is whole.
 *
 * Returns: 1: it stands still already; 0: @done will be called, after @usec at the latest; -EBUSY: this hold waits
 * already; or negative errno.
 * Source:  cgroup v2 guide, cgroup.events: a change of "frozen" is a POLLPRI of the file.
 */
int jail_hold_await(JailHold *hold, uint64_t usec, JailStillFn done, void *userdata, Error *err);

/** jail_still_set() - its user wants it frozen, or not; twice is the same as once. Returns: 0 or negative errno */
int jail_still_set(FrontJail *jail, bool on, Error *err);

/** jail_still_await() - jail_hold_await() of its user's hold, once jail_still_set() has made it */
int jail_still_await(FrontJail *jail, uint64_t usec, JailStillFn done, void *userdata, Error *err);

/** front_jail_is_frozen() - by its user: no command starts in it */
bool front_jail_is_frozen(const FrontJail *jail);

/** front_jail_frozen_usec() - how long it has stood still, whoever held it, now included */
uint64_t front_jail_frozen_usec(const FrontJail *jail);

/** jail_still_deinit() - the jail is gone; who waits is told, and the holds of others hold nothing any more */
void jail_still_deinit(JailStill *still);

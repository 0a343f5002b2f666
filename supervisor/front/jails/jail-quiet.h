#pragma once
/*
 * jail-quiet: a jail's commands stand still while what it wrote is read, so that it is read as it was at one moment. They
 * are not copied, and no program is asked to bring what it holds in memory to its files first.
 */
#include "supervisor/front/front.h"

/** jail_quiet_begin() - by its name; each is ended once. Returns: 0, -ESRCH: it has ended, negative errno */
int jail_quiet_begin(Front *front, const char *id, Error *err);
/** JailQuietFn - once; @err NULL: it stands still; else it runs again, or has ended */
typedef void (*JailQuietFn)(const Error *err, void *userdata);
/**
 * jail_quiet_await() - jail_quiet_begin(), and wait until every process stands still
 *
 * One that is in the middle of a call of the kernel goes on until that ends. So what it is writing is whole.
 *
 * Returns: 1: it stands still already; 0: @ready will be called; negative errno.
 */
int jail_quiet_await(Front *front, const char *id, JailQuietFn ready, void *userdata, Error *err);
/** jail_quiet_end() - its commands run again, unless somebody else wants them still; a jail that has ended is fine */
void jail_quiet_end(Front *front, const char *id);

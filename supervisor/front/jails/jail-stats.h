#pragma once
/*
 * jail-stats: the method jail.stats: what jails use, once, or again and again for who watches.
 *
 * What a watcher costs is bounded: a connection has one watch, a user JAIL_STATS_PER_UID_MAX, and all watchers
 * together use at most a twentieth of the front's time, their samples coming later where that is not enough. Samples
 * are not kept: who does not read fast enough misses some, and is told how many.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/jails/jails.h"

#define JAIL_STATS_WATCHERS_MAX 128u
#define JAIL_STATS_PER_UID_MAX  8u
#define JAIL_STATS_INTERVAL_MIN 100000u /* microseconds */

typedef struct StatsWatcher StatsWatcher;

/** jail_stats_forget() - @jail is about to be freed: no watcher goes on with it */
void jail_stats_forget(Front *front, const FrontJail *jail);

/** jail_stats_methods - ended by a NULL name */
extern const MethodRow jail_stats_methods[];

#pragma once
/*
 * many: what idle jails take of memory, and what one more costs where there are a thousand.
 *
 * Linux gives each memory group room for as many shrinkers as there ever were at once on the host since it was booted
 * (alloc_shrinker_info() in mm/shrinker.c, 1 KiB for 64), and each file system that is mounted is one. So what a jail takes
 * depends on what the host did before; a run of creates by many clients, which leaves file systems behind faster than the
 * kernel clears them away, comes after this.
 */
#include "tests/bench/server.h"

/** many_run() - prints the tables */
void many_run(Bench *bench);

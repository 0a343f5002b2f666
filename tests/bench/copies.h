#pragma once
/*
 * copies: a fresh writable copy of roots of three sizes, and of a jail with what was changed in it, beside `cp -a` and an
 * overlay by hand. What peers copy lies in memory, as the jails' uppers do; the snapshots lie on the disk.
 */
#include "tests/bench/server.h"

/** copies_prepare() - roots and trees, and the jail that is forked. Returns: 0 or negative errno */
int copies_prepare(Bench *bench, Error *err);
/** copies_run() - prints the table */
void copies_run(Bench *bench, unsigned rounds);

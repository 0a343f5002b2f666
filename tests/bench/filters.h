#pragma once
/*
 * filters: those that a command in a jail of the policy "default" has, for a peer that takes compiled ones.
 */
#include "tests/bench/server.h"

#define FILTERS 2 /* the floor, which no policy chooses, and the policy's */

/**
 * filters_open() - descriptors that spawned programs inherit, at offset 0
 *
 * Returns: 0 or negative errno. Owns: the caller closes them.
 */
int filters_open(const Bench *bench, int *ret_fds, Error *err);

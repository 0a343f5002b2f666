#pragma once
/*
 * skeleton: the lowest layer of a host root: mount points, links, passwd, group, hosts.
 */
#include <stdint.h>

#include "base/error.h"

/**
 * skeleton_make() - make store/skeleton where it is missing or belongs to other ids
 * @store:    directory, 0700, ours
 * @store_id: owner of everything in it: first id of the store's range
 *
 * Built under a temporary name and renamed: what is there is whole.
 *
 * Returns: 0 or negative errno.
 */
int skeleton_make(int store, uint32_t store_id, Error *err);

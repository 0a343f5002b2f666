#pragma once
/*
 * host-places: directories that no jail may change, whoever owns them.
 */
#include <stdint.h>

#include "base/error.h"

/**
 * host_places_check() - is @dir none of the host's own places, nor above one
 * @dir:   directory, borrowed; may be O_PATH
 * @state: another place, a directory: the state of the supervisor
 * @uid:   owner of @dir: the directory of his session's sockets counts as a place
 *
 * Judged by device and inode, so that a bind mount or a link of a place is that place. Asks no file system
 * that a user may serve: only the places themselves and what is above them are looked up.
 *
 * Returns: 0, or -EPERM with the place's name, or another negative errno.
 */
int host_places_check(int dir, int state, uint32_t uid, Error *err);

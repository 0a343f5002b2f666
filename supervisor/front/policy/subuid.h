#pragma once
/*
 * subuid: which user ids are somebody's subordinate ids.
 */
#include <stdbool.h>
#include <stdint.h>

/**
 * subuid_has() - does /etc/subuid give @uid to anybody
 * @etc_fd: /etc, borrowed; -EBADF: no
 *
 * Source: subuid(5), "name:start:count". A file that is there but cannot be read gives every id away.
 */
bool subuid_has(int etc_fd, uint32_t uid);

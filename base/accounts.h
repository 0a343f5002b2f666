#pragma once
/*
 * accounts: names in the host's own /etc/passwd and /etc/group only: a name service would load its plugins
 * into a process with privilege.
 */
#include <stdbool.h>
#include <stdint.h>

/** accounts_group() - id of a group; UINT32_MAX: there is none */
uint32_t accounts_group(const char *name);

/** accounts_user() - ids of a user that is not root, nor in root's group. Returns: is there one */
bool accounts_user(const char *name, uint32_t *ret_uid, uint32_t *ret_gid);

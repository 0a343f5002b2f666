#pragma once
/*
 * ids: file system ids of a command, taken for a moment by init, which keeps its own user id: what it opens
 * or makes then is the command's.
 */
#include <stdint.h>

/** as_user() - file system ids of a command for what follows; as_init() is the way back. Returns: 0 or -EPERM */
int as_user(uint32_t uid, uint32_t gid);

/** as_init() - init's own file system ids, and what the kernel takes away with a change of ids */
void as_init(void);

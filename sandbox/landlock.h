#pragma once
/*
 * landlock: the second wall around a jail's commands. It holds where the first one (namespaces, mounts, ids)
 * has a hole: see landlock.c.
 */
#include <stdint.h>

#include "base/error.h"
#include "sandbox/stages.h"

/**
 * landlock_abi() - what the running kernel offers
 *
 * Returns: the ABI, or 0 where there is none that serves: no Landlock, switched off, the call refused, or
 * ABI 1, which forbids every rename and link between directories.
 * Source:  landlock_create_ruleset(2); Linux >= 5.19 for ABI 2.
 */
uint32_t landlock_abi(void);

/**
 * landlock_confine() - put this process, and all that it clones from now on, into the jail's own domain
 * @shell: its stand, root and landlock_abi; nothing happens where that is 0
 *
 * Sets no_new_privs. Once in the life of a jail, so that all its commands are in one domain.
 *
 * Returns: 0 or negative errno: what the kernel offers and then refuses fails the jail.
 */
int landlock_confine(const Shell *shell, Error *err);

#pragma once
/*
 * priv-caps: what is left of root's rights in the monitor, in what it starts, and in each of a jail's own
 * processes. What a command has left, which is nothing, is in init/parked.c.
 */
#include "sandbox/stages.h"

#define CAP_BIT(C) (1ull << (C))

/** caps_set() - exactly @held permitted and effective, @inheritable inheritable */
int caps_set(uint64_t held, uint64_t inheritable, Error *err);

/** caps_bound() - empty the bounding set but for @keep (of CAP_BIT) */
int caps_bound(uint64_t keep, Error *err);

/** caps_narrow() - of what this process has only @keep, in the bounding set too; no inheritable one */
int caps_narrow(uint64_t keep, Error *err);

/**
 * caps_drop() - become @uid and @gid, with no group, no capability and no way to one; securebits locked
 *
 * For a child that executes a program next: nothing of root's is left but open descriptors.
 *
 * Returns: 0 or negative errno (-EPERM: no_new_privs is not set).
 */
int caps_drop(uint32_t uid, uint32_t gid);

/** caps_of_builder() - keep what mounting needs, in the host's user namespace; securebits locked */
int caps_of_builder(Error *err);

/**
 * caps_of_init() - become JAIL_INIT_ID in the jail's user namespace
 *
 * Must: no group, bounding set empty, securebits locked, nothing can be made ambient any more. Keeps: SETUID,
 * SETGID, KILL and, until the plan says that it is no files job, CHOWN, DAC_OVERRIDE, FOWNER, ambient, so that
 * they survive the execution of warder-init.
 */
int caps_of_init(const Shell *shell, Error *err);

#pragma once
/*
 * priv-caps: what is left of root's rights in each of a jail's own processes. What a command has left, which
 * is nothing, is in init/parked.c.
 */
#include "sandbox/stages.h"

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

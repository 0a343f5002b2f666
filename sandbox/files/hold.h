#pragma once
/*
 * hold: protected files stay what they are while the commands of a verify run. A command runs as the jail's
 * user; so what is protected, and every directory on the way to it, is given to id 0. The directories become
 * world-writable and sticky: commands make files beside the protected ones as before, but can neither write to
 * one, nor remove or rename it, nor put another directory in the place of its own.
 *
 * A base has the same protected files for every patch. So the shield is made of it once: a layer with all of
 * them, given to id 0, and their directories. It lies above the base and setup's layer; a patch applied above it
 * has only to hold what was put back because the patch touched it.
 */
#include <sys/stat.h>

#include "sandbox/files/protect.h"

#define HOLD_DIRECTORY_MODE 01777

/**
 * hold_run() - give every protected file of the base, as it stands in the tree, to id 0
 * @protect: after protect_run(): all of them are the base's
 *
 * Modification times stay.
 *
 * Returns: 0 or negative errno.
 * Source:  chmod(2) and unlink(2), the sticky bit of a directory.
 */
int hold_run(const Protect *protect, Error *err);

/**
 * hold_changed() - likewise of a tree whose base lies under its shield: what the patch touched alone
 * @protect: after protect_run()
 *
 * Returns: 0 or negative errno.
 */
int hold_changed(const Protect *protect, const ApplyPlan *plan, Error *err);

/** hold_mode() - of a protected file: a base may come from any client, with files that everybody may write to */
mode_t hold_mode(mode_t mode);

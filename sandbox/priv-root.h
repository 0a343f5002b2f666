#pragma once
/*
 * priv-root: the file systems of a shell and of a jail. First part: what needs no plan (the shell's tmpfs
 * root with /dev and /proc ready to be moved). Second part: the plan's views, the host's directories, and
 * the change of root.
 */
#include "base/error.h"
#include "sandbox/stages.h"

/** root_take_host() - clones of the host directories that a host root may bind; before the old root goes */
int root_take_host(Shell *shell, Error *err);

/** root_enter_shell() - make the tmpfs root with /proc and /dev, change to it, detach the old root */
int root_enter_shell(Shell *shell, Error *err);

/**
 * root_build() - make the plan's root and change to it
 * @layers: detached mounts, view by view
 *
 * Returns: 0 or negative errno; the caller ends then, and all mounts end with its namespace.
 */
int root_build(const Shell *shell, const Plan *plan, const int *layers, Error *err);

/** root_upper() - open the upper that LAYER_UPPER means. Returns: descriptor or negative errno */
int root_upper(const Shell *shell, const Plan *plan, Error *err);

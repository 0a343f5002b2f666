#pragma once
/*
 * priv-visit: one look into another mount namespace.
 */
#include "base/error.h"

/**
 * visit_clone() - a detached clone of a mount that lies in another mount namespace
 * @space: that namespace, or a pidfd of a process in it; borrowed
 * @dir:   directory on that mount, borrowed
 *
 * The kernel clones only mounts of the asker's own namespace, and a service that has one (systemd's
 * ProtectSystem and its kin) sees none of its callers'. No path is looked up in the other namespace, which
 * may be a hostile one: the descriptor alone says what is cloned, and one that lies elsewhere is refused by
 * the kernel.
 *
 * Returns: descriptor owned by the caller, without flags or id map of ours yet; or negative errno (-EINVAL:
 *          @dir lies in a third namespace).
 * Source:  setns(2), a pidfd instead of a namespace: Linux >= 5.8; open_tree(2).
 */
int visit_clone(int space, int dir, Error *err);

#pragma once
/*
 * doctor-trials: what can only be found by doing it: mounts, id maps, calls with arguments that count. Each
 * is done in a process of its own, in a mount namespace of its own where it mounts: nothing of it is left.
 */
#include "cli/doctor-find.h"

/** try_mount_api() - a tmpfs by descriptors; root only, else unknown */
State try_mount_api(const Check *check, char *found);
/** try_idmap() - show the file system of the row's path (NULL: a new tmpfs) with other owners; root only */
State try_idmap(const Check *check, char *found);
/** try_overlay() - an overlay on a tmpfs, with attributes under user.; root only */
State try_overlay(const Check *check, char *found);
/** try_overlay_layers() - a layer of an overlay by descriptor (lowerdir+); root only */
State try_overlay_layers(const Check *check, char *found);
/** try_clone_into() - does clone3 know CLONE_INTO_CGROUP */
State try_clone_into(const Check *check, char *found);
/** try_openat2() - does openat2 know the ways to stay beneath a directory */
State try_openat2(const Check *check, char *found);
/** try_peer_pidfd() - does a Unix socket name its peer by descriptor */
State try_peer_pidfd(const Check *check, char *found);
/** try_pidfd_info() - does a pidfd tell of its process */
State try_pidfd_info(const Check *check, char *found);
/** try_notify() - does the kernel pass calls to a listener */
State try_notify(const Check *check, char *found);

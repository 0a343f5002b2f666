#pragma once
/*
 * peers: the same work by other programs, as far as they are installed. crun refuses hosts where both forms of control
 * groups are mounted, so what peers do is started by a process whose own mount namespace has no v2 tree below the v1 ones.
 */
#include "tests/bench/server.h"

/** peers_prepare() - their roots and configurations, and a container that is alive. Returns: 0 or negative errno */
int peers_prepare(Bench *bench, Error *err);
/** peers_stop() - ends that container and the process */
void peers_stop(Bench *bench);

/** peers_clean() - what a bench that was killed has left of theirs; by a process that did not start them */
void peers_clean(const Bench *bench);

/** peer_spawn() - posix_spawn of the same static binary */
int peer_spawn(Bench *bench, Error *err);
/** peer_bwrap() - all namespaces, read-only root; no group, no id range, no filter */
int peer_bwrap(Bench *bench, Error *err);
/** peer_bwrap_overlay() - the same with a fresh writable copy of a root of 475 MB */
int peer_overlay(Bench *bench, Error *err);
/** peer_copy() - cp -a of that root */
int peer_copy(Bench *bench, Error *err);
/** peer_crun() - namespaces, id range, no capability, limits of memory and pids */
int peer_crun(Bench *bench, Error *err);
/** peer_runc() - likewise */
int peer_runc(Bench *bench, Error *err);
/** peer_nsjail() - likewise */
int peer_nsjail(Bench *bench, Error *err);
/** peer_nspawn() - systemd-nspawn, which registers with nobody */
int peer_nspawn(Bench *bench, Error *err);
/** peer_crun_exec() - in the container that is alive */
int peer_crun_exec(Bench *bench, Error *err);
/** peer_nsenter() - into its namespaces */
int peer_nsenter(Bench *bench, Error *err);

/** peer_is_there() - is the program installed */
bool peer_is_there(const char *program);
/** peer_crun_argv() - of one create + true + destroy with the id @id, into @argv of 12, for processes of load.c */
void peer_crun_argv(const Bench *bench, const char *id, const char **argv);
/** peer_bwrap_argv() - likewise, static */
const char *const *peer_bwrap_argv(void);
/** peer_own_mounts() - this process sees no v2 tree below v1 ones from now on. Returns: 0 or negative errno */
int peer_own_mounts(Error *err);

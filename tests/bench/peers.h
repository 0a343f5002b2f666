#pragma once
/*
 * peers: the same work by other programs, as far as they are installed.
 */
#include "tests/bench/server.h"

/** peers_prepare() - configurations, the process that starts them, a container that is alive. Returns: 0 or negative errno */
int peers_prepare(Bench *bench, Error *err);
/** peers_stop() - ends that container and the process */
void peers_stop(void);

/** peers_clean() - what a bench that was killed has left of theirs; by a process that did not start them */
void peers_clean(const Bench *bench);

/** peer_spawn() - posix_spawn of the same static binary */
int peer_spawn(Bench *bench, Error *err);
/** peer_bwrap() - all namespaces, read-only root; no group, no id range, no filter */
int peer_bwrap(Bench *bench, Error *err);
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
/** peer_bwrap_argv() - of one create + true + destroy, for who runs something else in it: static, NULL ends it */
const char *const *peer_bwrap_argv(void);

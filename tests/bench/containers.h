#pragma once
/*
 * containers: the same work by crun, or runc: all that a jail has and they can do without a helper. crun refuses hosts
 * where both forms of control groups are mounted, so what is started here is started by a process whose own mount
 * namespace has no v2 tree below the v1 ones.
 */
#include "tests/bench/server.h"

#define CONTAINER_ID_MAX  48
#define CONTAINER_PID_MAX 16

/** containers_prepare() - their root's configurations. Returns: 0 or negative errno */
int containers_prepare(const Bench *bench, Error *err);
/** containers_own_mounts() - for the calling process; all of the calls below want it. Returns: 0 or negative errno */
int containers_own_mounts(Error *err);
/** containers_id() - the name of the bench's container @number. @id: of CONTAINER_ID_MAX */
void containers_id(const Bench *bench, unsigned number, char *id);
/** container_run() - create + true + destroy by @engine. Returns: 0 or negative errno */
int container_run(const char *engine, const char *id, Error *err);
/** container_start() - one of crun's with a `sleep`, until container_stop(). @ret_pid: of CONTAINER_PID_MAX */
int container_start(const char *id, char *ret_pid, Error *err);
/** container_exec() - `true` in one that was started */
int container_exec(const char *id, Error *err);
/** container_enter() - the same by nsenter, into the namespaces of its process */
int container_enter(const char *pid, Error *err);
/** container_stop() - and nothing is left of it */
int container_stop(const char *id, Error *err);

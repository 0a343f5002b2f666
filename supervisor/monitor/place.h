#pragma once
/*
 * place: where a supervisor lives: its directories, the lock that makes it the only one, its socket.
 */
#include <sys/types.h>

#include "supervisor/monitor/monitor.h"

/**
 * place_init() - make the directories, lock the state, open or make the socket
 *
 * Returns: 0 or negative errno (-EBUSY: a supervisor of this place is alive; for one that is
 *          ending we wait). What was made so far is
 * undone by place_deinit() in any case.
 */
int place_init(Monitor *monitor, Error *err);

#define PLACE_READ 022u /* others may have a look */
#define PLACE_OURS 077u /* they may not */

/**
 * place_dir() - a directory that is root's, made if it is not there
 * @barred: PLACE_*: rights that nobody else may have on it
 *
 * Returns: descriptor owned by the caller, or negative errno.
 */
int place_dir(int at, const char *path, mode_t mode, mode_t barred, Error *err);

/** place_audit() - the socket of the kernel's seccomp records, systemd's or our own; negative, and said: none */
int place_audit(const MonitorConfig *config);

/** place_front_state() - the front's own directory below the state, which its id then owns; a descriptor */
int place_front_state(const Monitor *monitor, Error *err);

/** place_file() - a file of root's in the state directory, made where it is not there; a descriptor */
int place_file(const Monitor *monitor, const char *name, int flags, mode_t mode, Error *err);

/** place_close() - take the socket away: who comes now starts a supervisor, which waits for our end */
void place_close(Monitor *monitor);

/** place_deinit() - remove socket and run directory, if they are ours, and let go of the lock */
void place_deinit(Monitor *monitor);

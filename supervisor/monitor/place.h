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

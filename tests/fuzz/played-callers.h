#pragma once
/*
 * played-callers: for fuzz-monitor, what a front has of its callers: real directories of several owners, and
 * real connections to a listener that say which of them a jail may have. Without root there are none, and
 * every descriptor is /dev/null.
 */

/** callers_init() - make all of it, the first time */
void callers_init(void);

/** callers_fd() - one of the descriptors that a front could pass, chosen by @byte; borrowed */
int callers_fd(unsigned byte);

/** callers_listener() - the socket that its callers connected to; borrowed */
int callers_listener(void);

/** callers_state() - the supervisor's own directory, which is one of those of callers_fd() too; borrowed */
int callers_state(void);

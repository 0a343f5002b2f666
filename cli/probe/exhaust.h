#pragma once
/*
 * exhaust: ways to take all of something. Each goes on until it is ended, is refused (EXHAUST_REFUSED), or
 * has taken so much that nothing can have held it (0).
 */

#define EXHAUST_REFUSED 7
#define EXHAUST_UNKNOWN 2

/** exhaust_run() - by name; EXHAUST_UNKNOWN where there is no such way. Returns: the exit code */
int exhaust_run(const char *name);

#pragma once
/*
 * spawn: programs that are run to their end. None has a file of the host's for its input or outputs.
 */
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/** spawn_wait() - run a program to its end, which must be good; its output is dropped. Returns: 0 or negative errno */
int spawn_wait(const char *const *argv, Error *err);
/** spawn_wait_in() - the same in @dir, NULL: here */
int spawn_wait_in(const char *dir, const char *const *argv, Error *err);
/** spawn_shell() - the same of a script, whose $1 is @dir */
int spawn_shell(const char *script, const char *dir, Error *err);
/** spawn_left() - start a program that goes on; its pid, which the caller waits for. Returns: 0 or negative errno */
int spawn_left(const char *const *argv, pid_t *ret_pid, Error *err);
/** spawn_null_is_whole() - is the host's /dev/null root's, and everybody's to use: a peer once changed that */
bool spawn_null_is_whole(void);

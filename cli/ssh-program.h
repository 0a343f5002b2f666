#pragma once
/*
 * ssh-program: warder-ssh, which is a program of its own because it links libssh.
 */
#include "base/error.h"

/**
 * ssh_program_run() - run it with these words and wait for it
 * @argv: ends with NULL; the first is the program's name
 *
 * Returns: its exit code, which it has given its reason for; or negative errno, also where a signal ended it.
 */
int ssh_program_run(const char *const *argv, Error *err);

/** ssh_program_become() - execute it in our place. Returns: negative errno only */
int ssh_program_become(const char *const *argv, Error *err);

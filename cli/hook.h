#pragma once
/*
 * hook: a command of the user's that is told of a question.
 */
#include "base/json.h"

/**
 * hook_run() - run it by the shell, and wait for its end
 * @command:  a line of the shell
 * @question: goes to its stdin as one line of JSON; its ids go into its environment
 *
 * The text of a question is an agent's: it is on stdin only, where no shell reads it.
 *
 * Returns: the command's exit code (128+n for a signal), or negative errno.
 */
int hook_run(const char *command, const cJSON *question, Error *err);

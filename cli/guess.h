#pragma once
/*
 * guess: how the tests of a repository are probably run, from the files that say so in each ecosystem. A
 * guess is a verify spec; whether it is right, only a run on the base shows.
 */
#include "base/json.h"
#include "cli/workspace.h"

/**
 * guess_specs() - specs worth a trial, the most telling first
 * @ret_guesses: an array of {"kind", "spec"}, owned by the caller; kind is what the project is taken for ("go
 *               test"). Those of one kind stand together, and each reads the results another way
 *
 * Returns: 0; -ENOENT where nothing is known that tests this project; negative errno.
 */
int guess_specs(const Repository *repo, cJSON **ret_guesses, Error *err);

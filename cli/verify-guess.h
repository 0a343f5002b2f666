#pragma once
/*
 * verify-guess: a verify spec for a project that has none, shown only after its tests ran on the base.
 */
#include "cli/verify-ask.h"

/**
 * verify_guess() - guess, try, and print the spec on stdout; what was seen goes to stderr
 * @self: with options; its repository, spec and descriptors are filled
 *
 * Returns: 0 where tests were found, or at least commands that end well; EXIT_NOT_VERIFIED where they were not;
 *          negative errno, or what verify_ask() returns.
 */
int verify_guess(Verifying *self, Error *err);

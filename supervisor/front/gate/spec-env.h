#pragma once
/*
 * spec-env: which variables a verify spec may set. They hold for everything that a command starts: make, the
 * shell, the test runner. Some make the loader, a shell or an interpreter run code that the variable names; a
 * change could put that code where it points. A command that needs such a variable for the program
 * under test sets it in its own words (env PYTHONPATH=src …), for that program alone.
 */
#include <stdbool.h>

/**
 * spec_env_refusal() - may this variable have this value
 * @value: NULL: it is taken away, which is always allowed but where @name is no name
 *
 * Returns: NULL, or why not: a sentence, static.
 */
const char *spec_env_refusal(const char *name, const char *value);

/** spec_env_leaves() - has a path a component ".." */
bool spec_env_leaves(const char *path);

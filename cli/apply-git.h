#pragma once
/*
 * apply-git: what "warder apply" asks git, as the user: into the index with what was applied.
 */
#include "cli/as-user.h"
#include "cli/change.h"

/**
 * apply_git_index() - into the index of the repository at @top with these paths, as they lie in the tree now
 *
 * Returns: 0 or negative errno with a sentence; the tree keeps what was applied.
 */
int apply_git_index(const User *user, const char *top, const Changes *changes, Error *err);

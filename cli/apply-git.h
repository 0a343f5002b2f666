#pragma once
/*
 * apply-git: what "warder apply" asks git, as the user: is the tree what the verdict was given about, and into the
 * index with what was applied.
 */
#include "cli/as-user.h"
#include "cli/change.h"

/**
 * apply_git_drift() - does the tree at @top differ from the commit that a verdict is about
 * @commit:  of the verdict; what it says comes from a file
 * @ret_why: a sentence; "" where it does not
 *
 * What git cannot say is no drift: the sentence is advice.
 */
void apply_git_drift(const User *user, const char *top, const char *commit, char ret_why[256]);

/**
 * apply_git_index() - into the index of the repository at @top with these paths, as they lie in the tree now
 *
 * Returns: 0 or negative errno with a sentence; the tree keeps what was applied.
 */
int apply_git_index(const User *user, const char *top, const Changes *changes, Error *err);

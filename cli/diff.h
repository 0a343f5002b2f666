#pragma once
/*
 * diff: the changes of a working tree as a patch. Runs in a child of as_user_call().
 */
#include "cli/workspace.h"

/** diff_write() - the patch from repo->commit to the working tree, untracked files as additions, to @out */
int diff_write(const Repository *repo, int out, Error *err);

#pragma once
/*
 * commit: the files of a commit, into an archive. Runs in a child of as_user_call().
 */
#include "cli/workspace.h"

/** commit_pack() - all files of repo->commit, and of the submodules at the commits that it names */
int commit_pack(Pack *pack, const Repository *repo, Error *err);

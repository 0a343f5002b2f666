#pragma once
/*
 * tree: the working tree of a repository, into an archive. Runs in a child of as_user_call().
 */
#include "base/json.h"
#include "cli/pack.h"

/** tree_pack() - tracked and unignored files of the working tree at @top, those of submodules too */
int tree_pack(Pack *pack, const char *top, Error *err);

/** tree_pack_ignored() - the ignored files that @include (a list of path patterns of git, or NULL) names */
int tree_pack_ignored(Pack *pack, const char *top, const cJSON *include, Error *err);

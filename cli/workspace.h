#pragma once
/*
 * workspace: a git repository as what a jail gets of it: the working tree, or a commit, as an archive;
 * and the changes between the two as a patch. All of it is read in a child with the user's rights.
 */
#include <limits.h>

#include "base/json.h"
#include "cli/as-user.h"
#include "cli/pack.h"

#define COMMIT_TEXT_MAX 72

typedef struct Repository {
        User user;
        char top[PATH_MAX];
        char commit[COMMIT_TEXT_MAX]; /* of the revision; "" where there is no commit yet */
        time_t commit_time;
} Repository;

/**
 * workspace_find() - the repository that @dir lies in
 * @rev: a revision that must name a commit; NULL: HEAD, and there may be none yet
 *
 * Returns: 0; -ENOENT where @dir is in no repository, -EREMOTEIO where @rev names nothing.
 */
int workspace_find(const char *dir, const char *rev, Repository *ret, Error *err);

/** workspace_read() - a file of the working tree (@from_commit: of the commit), free(); NULL where absent */
int workspace_read(const Repository *repo, const char *path, bool from_commit, char **ret_text,
                   Error *err);

/**
 * workspace_pack() - tracked and unignored files as they are, submodules too
 * @spec:  verify spec: its "include" names ignored paths that are packed all the same
 *
 * Returns: 0 and an archive at its start, owned by the caller.
 */
int workspace_pack(const Repository *repo, const cJSON *spec, int *ret_fd, PackTotals *ret_totals,
                   Error *err);

/** workspace_pack_commit() - the files of the commit, and "include" from the working tree */
int workspace_pack_commit(const Repository *repo, const cJSON *spec, int *ret_fd,
                          PackTotals *ret_totals, Error *err);

/** workspace_diff() - what the working tree changes on the commit, untracked files included, as a patch */
int workspace_diff(const Repository *repo, int *ret_fd, Error *err);

/*
 * apply-git: see apply-git.h. git runs in a child with the user's rights, never as sudo's root.
 */
#include "cli/apply-git.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"
#include "cli/git.h"
#include "cli/workdir.h"

typedef struct IndexJob {
        const char *top;
        int names; /* of the paths, each with a zero byte behind it */
} IndexJob;

static int index_in_child(void *arg, void *result, Error *err) {
        static const char *const args[] = { "update-index", "--add",   "--remove",
                                            "-z",           "--stdin", NULL };
        const IndexJob *job = arg;
        const int io[2] = { job->names, -EBADF };
        Git git = { .dir = job->top };
        GitProcess process;
        int r = git_start(&git, args, io, &process, err);

        (void) result;
        return r < 0 ? r : git_finish(&process, err);
}

int apply_git_index(const User *user, const char *top, const Changes *changes, Error *err) {
        autoclose int names = spool_new(err);
        IndexJob arg = { top, names };
        UserJob job = { .run = index_in_child, .arg = &arg };
        int r = names < 0 ? names : 0;

        for (unsigned i = 0; r == 0 && i < changes->n; i++)
                r = fd_write_all(names, changes->items[i].path, strlen(changes->items[i].path) + 1);
        if (r == 0 && lseek(names, 0, SEEK_SET) < 0)
                r = -errno;
        if (r < 0)
                return names < 0 ? r : error_set(err, r, "list what was applied");
        r = as_user_call(user, &job, err);
        return r < 0 ? error_add(err, r, "it is applied, but not in the index") : 0;
}

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

typedef struct DriftJob {
        const char *top;
} DriftJob;

typedef struct Drift {
        char head[48];
        bool has_changes; /* on files that git knows */
} Drift;

static int drift_in_child(void *arg, void *result, Error *err) {
        static const char *const head[] = { "rev-parse", "--verify", "-q", "HEAD^{commit}", NULL };
        static const char *const names[] = { "diff-index", "--name-only", "HEAD", "--", NULL };
        const DriftJob *job = arg;
        Git git = { .dir = job->top };
        autofree char *text = NULL, *list = NULL;
        Drift *drift = result;
        size_t n = 0;
        int r = git_read(&git, head, &text, &n, err);

        if (r < 0)
                return r;
        (void) snprintf(drift->head, sizeof(drift->head), "%.*s", (int) strcspn(text, "\n"), text);
        r = git_read(&git, names, &list, &n, err);
        drift->has_changes = r == 0 && n > 0;
        return r;
}

void apply_git_drift(const User *user, const char *top, const char *commit, char ret_why[256]) {
        DriftJob arg = { top };
        Drift drift = { .head = "" };
        UserJob job = { drift_in_child, &arg, &drift, sizeof(drift) };
        Error ignored = ERROR_EMPTY;

        ret_why[0] = 0;
        if (as_user_call(user, &job, &ignored) < 0)
                return;
        if (strcmp(drift.head, commit) != 0)
                (void) snprintf(
                        ret_why, 256,
                        "The verdict is about commit %.12s, this tree is at %.12s: the tests "
                        "have not run on what comes of it.",
                        commit, drift.head);
        else if (drift.has_changes)
                (void) snprintf(
                        ret_why, 256,
                        "This tree has changes that are not committed, and that the verdict "
                        "knows nothing of.");
}

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

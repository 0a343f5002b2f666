/*
 * workspace: each question is one job in a child that has the user's rights, so that git never sees a
 * repository of somebody else (and never complains about it), and nothing is read that the user could
 * not read. The parent only gets an archive in an unnamed file, and a few fixed-size facts.
 */
#include "cli/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fds.h"
#include "base/units.h"
#include "cli/commit.h"
#include "cli/diff.h"
#include "cli/git.h"
#include "cli/tree.h"
#include "cli/workdir.h"

#define FILE_MAX (1024 * 1024)

typedef struct FindArg {
        const char *dir;
        const char *rev;
} FindArg;

typedef struct JobArg { /* of the jobs that write to a descriptor */
        const Repository *repo;
        const cJSON *spec;
        const char *path;
        bool from_commit;
        int out;
} JobArg;

/* git's answer without its newline, into a fixed field */
static int ask_git(const Git *git, const char *const *args, char *text, size_t size, Error *err) {
        autofree char *answer = NULL;
        size_t n = 0;
        int r = git_read(git, args, &answer, &n, err);

        if (r < 0)
                return r;
        while (n > 0 && answer[n - 1] == '\n')
                n--;
        if (n >= size)
                return error_say(err, -ENAMETOOLONG, "git %s gives too long an answer.", args[0]);
        memcpy(text, answer, n);
        text[n] = 0;
        return 0;
}

static int find_commit(const Git *git, const char *rev, Repository *repo, Error *err) {
        char want[256], time_text[32];
        const char *verify[] = {
                "rev-parse", "--verify", "--quiet", "--end-of-options", want, NULL
        };
        const char *when[] = { "show", "-s", "--format=%ct", repo->commit, NULL };
        uint64_t seconds = 0;
        int r;

        snprintf(want, sizeof(want), "%.200s^{commit}", rev ? rev : "HEAD");
        r = ask_git(git, verify, repo->commit, sizeof(repo->commit), err);
        if (r < 0 && r != -EREMOTEIO)
                return r;
        if (r < 0) {
                repo->commit[0] = 0;
                *err = ERROR_EMPTY;
                return rev ? error_say(err, -EREMOTEIO, "'%.100s' names no commit of %s%s.", rev,
                                       repo->top,
                                       strcmp(rev, "HEAD") == 0 ? ": commit something first" : "")
                           : 0;
        }
        r = ask_git(git, when, time_text, sizeof(time_text), err);
        if (r == 0 && units_parse_number(time_text, &seconds, NULL) == 0)
                repo->commit_time = (time_t) seconds;
        return r;
}

static int find_in_child(void *arg, void *result, Error *err) {
        const FindArg *find = arg;
        Repository *repo = result;
        Git git = { .dir = find->dir };
        const char *top[] = { "rev-parse", "--show-toplevel", NULL };
        int r = ask_git(&git, top, repo->top, sizeof(repo->top), err);

        if (r == -EREMOTEIO) {
                Error why = *err;

                return error_say(err, -ENOENT,
                                 "%.200s is in no git repository that can be used (%.200s). Go to "
                                 "one, or make one with 'git init'.",
                                 find->dir, why.text);
        }
        if (r < 0)
                return r;
        git.dir = repo->top;
        return find_commit(&git, find->rev, repo, err);
}

int workspace_find(const char *dir, const char *rev, Repository *ret, Error *err) {
        FindArg arg = { .dir = dir, .rev = rev };
        Repository repo = { 0 };
        UserJob job = { find_in_child, &arg, &repo, sizeof(repo) };
        User user;
        int r;

        user_of_directory(dir, &user);
        r = as_user_call(&user, &job, err);
        if (r < 0)
                return r;
        repo.top[sizeof(repo.top) - 1] = 0;
        repo.commit[sizeof(repo.commit) - 1] = 0;
        repo.user = user;
        *ret = repo;
        return 0;
}

/* Is @path in the commit */
static bool is_in_commit(const Git *git, const Repository *repo, const char *path) {
        const char *list[] = { "ls-tree", "--name-only", "--full-tree", repo->commit,
                               "--",      path,          NULL };
        autofree char *text = NULL;
        size_t n = 0;

        return git_read(git, list, &text, &n, NULL) == 0 && n > 0;
}

static int read_in_child(void *arg, void *result, Error *err) {
        const JobArg *job = arg;
        Git git = { .dir = job->repo->top };
        char object[PATH_MAX + COMMIT_TEXT_MAX + 2];
        const char *show[] = { "cat-file", "blob", object, NULL };
        autofree char *text = NULL;
        autoclose int fd = -EBADF;
        size_t n = 0;
        int r;

        *(bool *) result = false;
        if (job->from_commit) {
                if (!is_in_commit(&git, job->repo, job->path))
                        return 0;
                snprintf(object, sizeof(object), "%s:%s", job->repo->commit, job->path);
                *(bool *) result = true;
                return git_to_fd(&git, show, job->out, err);
        }
        snprintf(object, sizeof(object), "%s/%s", job->repo->top, job->path);
        fd = open(object, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
                return 0;
        r = fd < 0 ? -errno : fd_read_all(fd, FILE_MAX, &text, &n);
        if (r == 0)
                r = fd_write_all(job->out, text, n);
        *(bool *) result = true;
        return r < 0 ? error_set(err, r, "read %s", job->path) : 0;
}

int workspace_read(const Repository *repo, const char *path, bool from_commit, char **ret_text,
                   Error *err) {
        autoclose int out = memfd_new("warder-file", false, err);
        JobArg arg = { .repo = repo, .path = path, .from_commit = from_commit, .out = out };
        bool found = false;
        UserJob job = { read_in_child, &arg, &found, sizeof(found) };
        size_t n = 0;
        int r;

        if (out < 0)
                return out;
        r = as_user_call(&repo->user, &job, err);
        if (r < 0)
                return r;
        *ret_text = NULL;
        if (!found)
                return 0;
        (void) lseek(out, 0, SEEK_SET);
        r = fd_read_all(out, FILE_MAX, ret_text, &n);
        return r < 0 ? error_set(err, r, "read %s", path) : 0;
}

static int pack_in_child(void *arg, void *result, Error *err) {
        const JobArg *job = arg;
        SCOPED(pack_free) Pack *pack = NULL;
        int r = pack_new(job->out, &pack, err);

        if (r == 0 && job->from_commit)
                r = commit_pack(pack, job->repo, err);
        else if (r == 0)
                r = tree_pack(pack, job->repo->top, err);
        if (r == 0)
                r = tree_pack_ignored(pack, job->repo->top, json_get(job->spec, "include"), err);
        return r < 0 ? r : pack_end(pack, result, err);
}

static int diff_in_child(void *arg, void *result, Error *err) {
        const JobArg *job = arg;

        (void) result;
        return diff_write(job->repo, job->out, err);
}

/* A job that writes to an unnamed file, which is then at its start */
static int run_job(const Repository *repo, UserJob *job, int *ret_fd, Error *err) {
        JobArg *arg = job->arg;
        autoclose int fd = spool_new(err);
        int r;

        if (fd < 0)
                return fd;
        arg->out = fd;
        r = as_user_call(&repo->user, job, err);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return error_set(err, -errno, "rewind a temporary file");
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int workspace_pack(const Repository *repo, const cJSON *spec, int *ret_fd, PackTotals *ret_totals,
                   Error *err) {
        JobArg arg = { .repo = repo, .spec = spec };
        UserJob job = { pack_in_child, &arg, ret_totals, sizeof(*ret_totals) };

        return run_job(repo, &job, ret_fd, err);
}

int workspace_pack_commit(const Repository *repo, const cJSON *spec, int *ret_fd,
                          PackTotals *ret_totals, Error *err) {
        JobArg arg = { .repo = repo, .spec = spec, .from_commit = true };
        UserJob job = { pack_in_child, &arg, ret_totals, sizeof(*ret_totals) };

        return run_job(repo, &job, ret_fd, err);
}

int workspace_diff(const Repository *repo, int *ret_fd, Error *err) {
        JobArg arg = { .repo = repo };
        UserJob job = { diff_in_child, &arg, NULL, 0 };

        return run_job(repo, &job, ret_fd, err);
}

/*
 * diff: git shows an untracked file in a diff only when its index knows the name. So git works on a copy
 * of the index in a directory of its own, where new objects go too: the user's index and object store
 * are not touched, and a repository that is read-only for the user will do.
 */
#include "cli/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "cli/git.h"

#define INDEX_MAX (1024ul * 1024 * 1024)

typedef struct Scratch {
        char dir[PATH_MAX];
        char index[PATH_MAX];
        char objects[PATH_MAX];
        char alternates[PATH_MAX]; /* quoted as git reads it: the path may hold a colon */
} Scratch;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where) {
        (void) st;
        (void) kind;
        (void) where;
        (void) remove(path);
        return 0;
}

static int make_scratch(Scratch *scratch, Error *err) {
        const char *tmp = getenv("TMPDIR");

        snprintf(scratch->dir, sizeof(scratch->dir) - 32, "%s/warder-XXXXXX",
                 tmp && *tmp ? tmp : "/tmp");
        if (!mkdtemp(scratch->dir))
                return error_set(err, -errno, "make a directory in %s", tmp && *tmp ? tmp : "/tmp");
        snprintf(scratch->index, sizeof(scratch->index), "%.*s/index", PATH_MAX - 32, scratch->dir);
        snprintf(scratch->objects, sizeof(scratch->objects), "%.*s/objects", PATH_MAX - 32,
                 scratch->dir);
        return mkdir(scratch->objects, 0700) < 0
                       ? error_set(err, -errno, "make %s", scratch->objects)
                       : 0;
}

/* A path inside .git, absolute */
static int git_path(const Repository *repo, const char *name, char *path, Error *err) {
        const char *args[] = { "rev-parse", "--git-path", name, NULL };
        Git git = { .dir = repo->top };
        autofree char *text = NULL;
        size_t n = 0;
        int r = git_read(&git, args, &text, &n, err);

        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = 0;
        if (snprintf(path, PATH_MAX, "%s%s%s", text[0] == '/' ? "" : repo->top,
                     text[0] == '/' ? "" : "/", text) >= PATH_MAX)
                return error_say(err, -ENAMETOOLONG, "%.200s…: the path is too long.", text);
        return 0;
}

static int copy_index(const char *from, const char *to, Error *err) {
        autoclose int in = open(from, O_RDONLY | O_CLOEXEC);
        autoclose int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        autofree char *bytes = NULL;
        size_t n = 0;
        int r;

        if (out < 0)
                return error_set(err, -errno, "make %s", to);
        if (in < 0) /* nothing was ever added: an empty index is none */
                return errno == ENOENT
                               ? (unlink(to) < 0 ? error_set(err, -errno, "remove %s", to) : 0)
                               : error_set(err, -errno, "open %s", from);
        r = fd_read_all(in, INDEX_MAX, &bytes, &n);
        if (r == 0)
                r = fd_write_all(out, bytes, n);
        return r < 0 ? error_set(err, r, "copy the index") : 0;
}

/* In double quotes, with backslashes, as git reads GIT_ALTERNATE_OBJECT_DIRECTORIES */
static void quote(const char *path, char *quoted) {
        size_t n = 0;

        quoted[n++] = '"';
        for (; *path && n < PATH_MAX - 3; path++) {
                if (*path == '"' || *path == '\\')
                        quoted[n++] = '\\';
                quoted[n++] = *path;
        }
        quoted[n++] = '"';
        quoted[n] = 0;
}

typedef struct Filters { /* what takes the programs off the repository's own filters */
        const char *args[GIT_CONFIG_MAX + 1];
        unsigned n;
        char *texts[GIT_CONFIG_MAX]; /* owned */
        unsigned n_texts;
} Filters;

static Filters *filters_free(Filters *filters) {
        while (filters && filters->n_texts > 0)
                free(filters->texts[--filters->n_texts]);
        free(filters);
        return NULL;
}
DEFINE_SCOPED(Filters *, filters_free);

/* "filter.NAME.clean", of which the command line now says that it is nothing */
static int switch_off(Filters *filters, const char *key, Error *err) {
        const char *value = strrchr(key, '.');
        char *text = NULL;

        if (filters->n + 2 > GIT_CONFIG_MAX || strchr(key, '='))
                return error_say(err, -E2BIG,
                                 "The repository configures filters that cannot be switched off "
                                 "(%.100s). Give the patch as a file.",
                                 key);
        if (asprintf(&text, "%s=%s", key, value && strcmp(value, ".required") == 0 ? "false" : "") <
            0)
                return error_set(err, -ENOMEM, "switch off a filter");
        filters->texts[filters->n_texts++] = text;
        filters->args[filters->n++] = "-c";
        filters->args[filters->n++] = text;
        return 0;
}

/*
 * git runs a filter over a file that changed. Those of the user and of the host are the user's; one that the
 * repository brings (whoever could write there, a jail with --rw as well) is a program that nobody asked for.
 */
static int find_filters(const Git *git, Filters *filters, Error *err) {
        /* core.pager is always there, since we set it: git fails here only where it cannot tell */
        static const char *const args[] = { "config",
                                            "-z",
                                            "--show-scope",
                                            "--name-only",
                                            "--includes",
                                            "--get-regexp",
                                            "^(filter\\.|core\\.pager$)",
                                            NULL };
        autofree char *text = NULL;
        size_t n = 0;
        int r = git_read(git, args, &text, &n, err);

        for (size_t at = 0; r == 0 && at < n;) {
                const char *scope = text + at, *key = scope + strlen(scope) + 1;

                if (key >= text + n)
                        return error_say(err, -EIO, "git config gives a line that is none.");
                if ((strcmp(scope, "local") == 0 || strcmp(scope, "worktree") == 0) &&
                    strncmp(key, "filter.", 7) == 0)
                        r = switch_off(filters, key, err);
                at = (size_t) (key - text) + strlen(key) + 1;
        }
        return r;
}

static int diff_in(const Repository *repo, Scratch *scratch, int out, Error *err) {
        static const char *const add[] = { "add", "--intent-to-add", "--", ".", NULL };
        const char *diff[] = { "diff",
                               "--binary",
                               "--full-index",
                               "--no-renames",
                               "--no-ext-diff",
                               "--no-textconv",
                               "--no-color",
                               "--src-prefix=a/",
                               "--dst-prefix=b/",
                               "--ignore-submodules=all",
                               repo->commit,
                               "--",
                               NULL };
        Git git = { .dir = repo->top,
                    .index = scratch->index,
                    .objects = scratch->objects,
                    .alternates = scratch->alternates };
        SCOPED(filters_free) Filters *filters = calloc(1, sizeof(*filters));
        char path[PATH_MAX];
        int r = filters ? find_filters(&git, filters, err)
                        : error_set(err, -ENOMEM, "make the patch");

        if (r >= 0)
                r = git_path(repo, "index", path, err);
        if (r >= 0)
                r = copy_index(path, scratch->index, err);
        if (r >= 0)
                r = git_path(repo, "objects", path, err);
        if (r < 0)
                return r;
        quote(path, scratch->alternates);
        git.config = filters->args;
        r = git_to_fd(&git, add, -1, err);
        return r < 0 ? r : git_to_fd(&git, diff, out, err);
}

int diff_write(const Repository *repo, int out, Error *err) {
        autofree Scratch *scratch = calloc(1, sizeof(*scratch));
        int r;

        if (!scratch)
                return error_set(err, -ENOMEM, "make the patch");
        r = make_scratch(scratch, err);
        if (r == 0)
                r = diff_in(repo, scratch, out, err);
        if (scratch->dir[0])
                (void) nftw(scratch->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        return r;
}

/*
 * tree: git says which files there are, we read them. git does not look into a submodule or into another
 * repository that lies in the tree; we ask again there.
 */
#include "cli/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/git.h"

#define NESTING_MAX 16

typedef struct TreeWalk {
        Pack *pack;
        const char *top;
        int dir; /* of top */
        unsigned depth;
} TreeWalk;

static int pack_repository(TreeWalk *walk, const char *prefix, Error *err);

/* A directory in git's list is a repository of its own: a submodule, checked out or not */
static int pack_nested(TreeWalk *walk, const char *path, Error *err) {
        char marker[PATH_MAX];
        int r;

        if (snprintf(marker, sizeof(marker), "%s/.git", path) >= (int) sizeof(marker))
                return error_say(err, -ENAMETOOLONG, "%.200s…: the path is too long.", path);
        if (faccessat(walk->dir, marker, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return pack_path(walk->pack, walk->dir, path, path, err);
        if (walk->depth >= NESTING_MAX)
                return error_say(err, -ELOOP, "%s: more than %d repositories in each other.", path,
                                 NESTING_MAX);
        walk->depth++;
        r = pack_repository(walk, path, err);
        walk->depth--;
        return r;
}

static int pack_one(TreeWalk *walk, const char *prefix, const char *name, Error *err) {
        char path[PATH_MAX];
        struct stat st;
        size_t n;

        if (snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "/" : "", name) >=
            (int) sizeof(path))
                return error_say(err, -ENAMETOOLONG, "%.200s…: the path is too long.", name);
        n = strlen(path);
        if (n > 0 && path[n - 1] == '/')
                path[n - 1] = 0;
        if (fstatat(walk->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
                return pack_nested(walk, path, err);
        return pack_path(walk->pack, walk->dir, path, path, err);
}

static int pack_list(TreeWalk *walk, const char *prefix, const char *const *args, Error *err) {
        char dir[PATH_MAX];
        Git git = { .dir = dir };
        autofree char *list = NULL;
        size_t n = 0;
        int r;

        if (snprintf(dir, sizeof(dir), "%s%s%s", walk->top, *prefix ? "/" : "", prefix) >=
            (int) sizeof(dir))
                return error_say(err, -ENAMETOOLONG, "%.200s…: the path is too long.", prefix);
        r = git_read(&git, args, &list, &n, err);
        for (size_t at = 0; r == 0 && at < n; at += strlen(list + at) + 1)
                r = pack_one(walk, prefix, list + at, err);
        return r;
}

static int pack_repository(TreeWalk *walk, const char *prefix, Error *err) {
        static const char *const args[] = {
                "ls-files",           "-z", "--cached", "--others", "--deduplicate",
                "--exclude-standard", NULL
        };

        return pack_list(walk, prefix, args, err);
}

static int open_top(TreeWalk *walk, Error *err) {
        walk->dir = open(walk->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return walk->dir < 0 ? error_set(err, -errno, "open %s", walk->top) : 0;
}

int tree_pack(Pack *pack, const char *top, Error *err) {
        TreeWalk walk = { .pack = pack, .top = top };
        autoclose int dir = -EBADF;
        int r = open_top(&walk, err);

        if (r < 0)
                return r;
        dir = walk.dir; /* NOLINT(clang-analyzer-deadcode.DeadStores): its scope closes it */
        return pack_repository(&walk, "", err);
}

int tree_pack_ignored(Pack *pack, const char *top, const cJSON *include, Error *err) {
        const char *args[GIT_ARGS_MAX] = { "ls-files",           "-z", "--others", "--ignored",
                                           "--exclude-standard", "--" };
        TreeWalk walk = { .pack = pack, .top = top };
        autoclose int dir = -EBADF;
        const cJSON *item;
        size_t n = 6;
        int r;

        cJSON_ArrayForEach(item, include) {
                if (!cJSON_IsString(item))
                        return error_say(err, -EINVAL,
                                         "\"include\" of the spec is a list of paths.");
                if (n + 1 >= GIT_ARGS_MAX)
                        return error_say(err, -E2BIG, "\"include\" of the spec has over %d paths.",
                                         GIT_ARGS_MAX - 8);
                args[n++] = item->valuestring;
        }
        if (n == 6)
                return 0;
        r = open_top(&walk, err);
        if (r < 0)
                return r;
        dir = walk.dir; /* NOLINT(clang-analyzer-deadcode.DeadStores): its scope closes it */
        return pack_list(&walk, "", args, err);
}

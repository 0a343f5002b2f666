/* held: see held.h. */
#include "cli/held.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "cli/workdir.h"

#define DEPTH_MAX 64

int held_take(const SpecOptions *options, cJSON *spec, char **ret_dir, Error *err) {
        const char *named = json_text(spec, "held");
        const char *slash = options->spec ? strrchr(options->spec, '/') : NULL;
        char *dir = NULL;

        if (options->held)
                dir = strdup(options->held);
        else if (named && (named[0] == '/' || !slash))
                dir = strdup(named);
        else if (named &&
                 asprintf(&dir, "%.*s/%s", (int) (slash - options->spec), options->spec, named) < 0)
                dir = NULL;
        if (!dir && (options->held || named))
                return error_set(err, -ENOMEM, "find the held-back tests");
        cJSON_DeleteItemFromObjectCaseSensitive(spec, "held");
        *ret_dir = dir;
        return 0;
}

/* ---- packing, in a child with the user's rights -------------------------------------------------- */

typedef struct HeldArg {
        const Repository *repo;
        const char *dir;
        int out;
} HeldArg;

typedef struct HeldResult {
        PackTotals totals;
        bool inside; /* of the repository */
} HeldResult;

static int pack_below(Pack *pack, int top, const char *path, unsigned depth, Error *err);

static int pack_entry(Pack *pack, int top, const char *path, unsigned depth, Error *err) {
        struct stat st;

        if (fstatat(top, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : error_set(err, -errno, "look at %s", path);
        return S_ISDIR(st.st_mode) ? pack_below(pack, top, path, depth + 1, err)
                                   : pack_path(pack, top, path, path, err);
}

static int join(char *to, const char *path, const char *name, Error *err) {
        int n = snprintf(to, PATH_MAX, "%s%s%s", path, *path ? "/" : "", name);

        return n < PATH_MAX ? 0
                            : error_say(err, -ENAMETOOLONG, "%.200s…: the path is too long.", path);
}

static int pack_below(Pack *pack, int top, const char *path, unsigned depth, Error *err) {
        int fd = depth > DEPTH_MAX ? -ELOOP
                                   : openat(top, *path ? path : ".",
                                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *item;
        char below[PATH_MAX];
        int r = 0, got = 0;

        if (!dir)
                return error_set(err, fd == -ELOOP ? fd : -errno, "read %s", *path ? path : "it");
        while (r == 0 && (got = dir_next(dir, &item)) > 0) {
                if (strcmp(item->d_name, ".git") == 0)
                        continue;
                r = join(below, path, item->d_name, err);
                if (r == 0)
                        r = pack_entry(pack, top, below, depth, err);
        }
        (void) closedir(dir);
        return r == 0 && got < 0 ? error_set(err, got, "list %s", *path ? path : "it") : r;
}

static bool is_inside(const char *dir, const char *top) {
        size_t n = strlen(top);

        return strncmp(dir, top, n) == 0 && (dir[n] == 0 || dir[n] == '/');
}

static int pack_in_child(void *arg, void *result, Error *err) {
        const HeldArg *held = arg;
        HeldResult *ret = result;
        SCOPED(pack_free) Pack *pack = NULL;
        char real[PATH_MAX], top[PATH_MAX];
        autoclose int fd = -EBADF;
        int r;

        if (!realpath(held->dir, real) || !realpath(held->repo->top, top))
                return error_set(err, -errno, "find the held-back tests, %s", held->dir);
        ret->inside = is_inside(real, top);
        if (ret->inside)
                return 0;
        fd = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "open the held-back tests, %s", held->dir);
        r = pack_new(held->out, &pack, err);
        if (r == 0)
                r = pack_below(pack, fd, "", 0, err);
        return r < 0 ? r : pack_end(pack, &ret->totals, err);
}

int held_pack(const Repository *repo, const char *dir, int *ret_fd, Error *err) {
        autoclose int out = spool_new(err);
        HeldArg arg = { .repo = repo, .dir = dir, .out = out };
        HeldResult result = { 0 };
        UserJob job = { pack_in_child, &arg, &result, sizeof(result) };
        int r = out < 0 ? out : as_user_call(&repo->user, &job, err);

        if (r < 0)
                return r;
        if (result.inside || result.totals.files == 0) {
                (void) error_say(err, -EINVAL,
                                 result.inside ? "%s lies in the repository, where whoever works "
                                                 "on it would find the held-back tests: keep them "
                                                 "elsewhere."
                                               : "%s holds no file: there are no held-back tests.",
                                 dir);
                return VERB_E_USAGE;
        }
        if (lseek(out, 0, SEEK_SET) < 0)
                return error_set(err, -errno, "rewind a temporary file");
        *ret_fd = TAKE_FD(out);
        return 0;
}

/*
 * workdir: a walk over a directory, depth first, by descriptor, links not followed. What the user may not
 * read is left out and named, as a jail on the directory itself would not read it either.
 */
#include "cli/workdir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dir.h"
#include "base/fds.h"
#include "base/owned.h"
#include "cli/as-user.h"
#include "cli/left-out.h"
#include "cli/pack.h"

#define DEPTH_MAX 64

typedef struct Walk {
        Pack *pack;
        int top;
        uint64_t left_out;   /* entries that the user may not read */
        char path[PATH_MAX]; /* of what is looked at, beneath top */
} Walk;

typedef struct WorkdirArg {
        int dir;
        int out;
} WorkdirArg;

int spool_new(Error *err) {
        const char *tmp = getenv("TMPDIR");
        int fd = open(tmp && *tmp ? tmp : "/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

        if (fd < 0) /* no such directory, or a file system that cannot: memory then */
                fd = memfd_new("warder-spool", false, err);
        return fd;
}

static int walk(Walk *w, unsigned depth, Error *err);

static int visit(Walk *w, const struct dirent *item, unsigned depth, Error *err) {
        size_t n = strlen(w->path);
        int r;

        if (n + strlen(item->d_name) + 2 > sizeof(w->path))
                return error_say(err, -ENAMETOOLONG, "%.200s…: the path is too long.", w->path);
        snprintf(w->path + n, sizeof(w->path) - n, "%s%s", n ? "/" : "", item->d_name);
        r = pack_path(w->pack, w->top, w->path, w->path, err);
        if (r == -EACCES) {
                left_out_add(&w->left_out, w->path);
                r = 0;
        }
        if (r == 0)
                r = walk(w, depth + 1, err);
        w->path[n] = 0;
        return r;
}

/* The content of the directory at w->path; nothing where that is no directory */
static int walk(Walk *w, unsigned depth, Error *err) {
        const struct dirent *item;
        DIR *dir;
        int fd, r = 0, got = 0;

        if (depth > DEPTH_MAX)
                return error_say(err, -ELOOP, "%s: more than %d directories deep.", w->path,
                                 DEPTH_MAX);
        fd = openat(w->top, w->path[0] ? w->path : ".",
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOTDIR || errno == ELOOP || errno == EACCES || errno == ENOENT
                               ? 0
                               : error_set(err, -errno, "open %s", w->path);
        dir = fdopendir(fd);
        if (!dir) {
                (void) close(fd);
                return error_set(err, -ENOMEM, "read %s", w->path);
        }
        while (r == 0 && (got = dir_next(dir, &item)) > 0)
                r = visit(w, item, depth, err);
        (void) closedir(dir);
        return r == 0 && got < 0 ? error_set(err, got, "list %s", w->path[0] ? w->path : "it") : r;
}

static int pack_in_child(void *arg, void *result, Error *err) {
        const WorkdirArg *work = arg;
        SCOPED(pack_free) Pack *pack = NULL;
        Walk w = { .top = work->dir };
        int r = pack_new(work->out, &pack, err);

        if (r < 0)
                return r;
        w.pack = pack;
        r = pack_path(pack, work->dir, ".", ".", err); /* its owner: who may make files in it */
        if (r == 0)
                r = walk(&w, 0, err);
        left_out_end(w.left_out);
        return r < 0 ? r : pack_end(pack, result, err);
}

int workdir_pack(int dir, int *ret_fd, Error *err) {
        autoclose int fd = spool_new(err);
        WorkdirArg arg = { .dir = dir, .out = fd };
        PackTotals totals = { 0 };
        UserJob job = { pack_in_child, &arg, &totals, sizeof(totals) };
        User user;
        int r;

        if (fd < 0)
                return fd;
        user_of_caller(&user);
        r = as_user_call(&user, &job, err);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return error_set(err, -errno, "rewind the archive");
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/*
 * outdir: each file is written under a temporary name and renamed, so that a reader never sees half of
 * one, and a link that somebody left there is replaced, not followed.
 */
#include "cli/outdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "cli/as-user.h"

#define CHUNK     65536
#define DEPTH_MAX 128

typedef struct OutArg {
        const char *dir;
        const OutFile *files;
        unsigned n;
} OutArg;

static int copy_fd(int from, int to) {
        char chunk[CHUNK];
        off_t at = 0;
        ssize_t n;

        while ((n = pread(from, chunk, sizeof(chunk), at)) > 0) {
                int r = fd_write_all(to, chunk, (size_t) n);

                if (r < 0)
                        return r;
                at += n;
        }
        return n < 0 ? -errno : 0;
}

static int write_one(int dir, const OutFile *file, Error *err) {
        char name[80];
        autoclose int fd = -EBADF;
        int r;

        if (!file->text && file->fd < 0) {
                if (unlinkat(dir, file->name, 0) < 0 && errno != ENOENT)
                        return error_set(err, -errno, "remove %s", file->name);
                return 0;
        }
        snprintf(name, sizeof(name), ".%.60s.new", file->name);
        (void) unlinkat(dir, name, 0);
        fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return error_set(err, -errno, "make %s", file->name);
        r = file->text ? fd_write_all(fd, file->text, strlen(file->text)) : copy_fd(file->fd, fd);
        if (r == 0 && renameat(dir, name, dir, file->name) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(dir, name, 0);
        return r < 0 ? error_set(err, r, "write %s", file->name) : 0;
}

/* Does it lie in a working tree: the next patch from there would hold the results of this one */
static bool is_in_repository(int dir) {
        autofree char *up = strdup("..");
        struct stat here, above;

        for (unsigned i = 0; up && i < DEPTH_MAX; i++) {
                autofree char *git = NULL, *more = NULL;

                if (asprintf(&git, "%s/.git", up) < 0 || asprintf(&more, "%s/..", up) < 0)
                        return false;
                if (faccessat(dir, git, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return true;
                if (fstatat(dir, up, &here, 0) < 0 || fstatat(dir, more, &above, 0) < 0 ||
                    (here.st_dev == above.st_dev && here.st_ino == above.st_ino))
                        return false;
                free(up);
                up = TAKE_PTR(more);
        }
        return false;
}

static int ignore_all(int dir, Error *err) {
        const OutFile file = { ".gitignore", "*\n", -EBADF };

        return is_in_repository(dir) ? write_one(dir, &file, err) : 0;
}

static int write_in_child(void *arg, void *result, Error *err) {
        const OutArg *out = arg;
        autoclose int dir = -EBADF;
        bool is_new = mkdir(out->dir, 0755) == 0;
        int r = 0;

        (void) result;
        if (!is_new && errno != EEXIST)
                return error_set(err, -errno, "make the directory %s", out->dir);
        dir = open(out->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return error_set(err, -errno, "open the directory %s", out->dir);
        if (faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) < 0)
                r = error_set(err, -errno, "make files");
        if (r == 0 && is_new)
                r = ignore_all(dir, err);
        for (unsigned i = 0; r == 0 && i < out->n; i++)
                r = write_one(dir, &out->files[i], err);
        return r < 0 ? error_add(err, r, "--out %s", out->dir) : 0;
}

int outdir_make(const char *dir, Error *err) {
        return outdir_write(dir, NULL, 0, err);
}

int outdir_write(const char *dir, const OutFile *files, unsigned n, Error *err) {
        OutArg arg = { dir, files, n };
        UserJob job = { .run = write_in_child, .arg = &arg };
        User user;

        user_of_caller(&user);
        return as_user_call(&user, &job, err);
}

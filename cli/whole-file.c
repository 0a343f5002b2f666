/*
 * whole-file: see whole-file.h.
 */
#include "cli/whole-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned.h"

/* "DIR/.NAME.PID", in the directory of @path */
static int name_temporary(WholeFile *file, char **ret_dir) {
        const char *slash = strrchr(file->path, '/');
        int n = slash ? (int) (slash - file->path) + 1 : 0;

        if (asprintf(ret_dir, "%.*s.", n, file->path) < 0)
                return -ENOMEM;
        return asprintf(&file->temporary, "%.*s.%s.%d", n, file->path, file->path + n,
                        (int) getpid()) < 0
                       ? -ENOMEM
                       : 0;
}

static int open_new(WholeFile *file, Error *err) {
        autofree char *dir = NULL;
        Error own = ERROR_EMPTY;

        if (name_temporary(file, &dir) < 0)
                return error_set(err, -ENOMEM, "write %s", file->path);
        file->fd = as_user_open(&file->user, dir, O_TMPFILE | O_RDWR, &own);
        if (file->fd >= 0 ||
            (own.code != -EOPNOTSUPP && own.code != -EISDIR && own.code != -EINVAL)) {
                if (file->fd < 0)
                        return error_set(err, own.code, "make %s", file->path);
                return 0;
        }
        file->fd = as_user_open(&file->user, file->temporary, O_CREAT | O_EXCL | O_RDWR, err);
        file->is_named = file->fd >= 0;
        return file->fd < 0 ? file->fd : 0;
}

int whole_file_open(WholeFile *file, const char *path, Error *err) {
        struct stat st;
        bool is_there;
        int r;

        *file = (WholeFile){ .path = path, .fd = -EBADF };
        user_of_caller(&file->user);
        is_there = stat(path, &st) == 0;
        if (is_there && S_ISDIR(st.st_mode))
                return error_say(err, -EISDIR, "%.200s is a directory: name a file.", path);
        file->is_direct = is_there && !S_ISREG(st.st_mode);
        if (!file->is_direct) {
                r = open_new(file, err);
                if (r == 0 && is_there && fchmod(file->fd, st.st_mode & 0777) < 0)
                        r = error_set(err, -errno, "give %s its mode", path);
                return r;
        }
        file->fd = as_user_open(&file->user, path, O_WRONLY, err);
        return file->fd < 0 ? file->fd : 0;
}

static int keep_in_child(void *arg, void *result, Error *err) {
        const WholeFile *file = arg;
        char self[64];

        (void) result;
        (void) snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
        if (!file->is_named &&
            linkat(AT_FDCWD, self, AT_FDCWD, file->temporary, AT_SYMLINK_FOLLOW) < 0)
                return error_set(err, -errno, "name %s", file->temporary);
        if (rename(file->temporary, file->path) == 0)
                return 0;
        (void) error_set(err, -errno, "put %s in its place", file->path);
        (void) unlink(file->temporary);
        return err ? err->code : -EIO;
}

static int remove_in_child(void *arg, void *result, Error *err) {
        const WholeFile *file = arg;

        (void) result;
        (void) err;
        return unlink(file->temporary) < 0 ? -errno : 0;
}

int whole_file_keep(WholeFile *file, Error *err) {
        UserJob job = { .run = keep_in_child, .arg = file };
        int r;

        if (file->is_direct)
                return 0;
        if (fsync(file->fd) < 0)
                return error_set(err, -errno, "write %s", file->path);
        r = as_user_call(&file->user, &job, err);
        file->is_named = false; /* in any case */
        return r;
}

void whole_file_deinit(WholeFile *file) {
        UserJob job = { .run = remove_in_child, .arg = file };

        if (file->is_named)
                (void) as_user_call(&file->user, &job, NULL);
        owned_close(&file->fd);
        free(file->temporary);
        file->temporary = NULL;
        file->is_named = false;
}

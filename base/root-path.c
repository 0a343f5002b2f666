/*
 * root-path: see root-path.h.
 */
#include "base/root-path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/owned.h"

int dir_make(int dir, const char *name, mode_t mode, uint32_t id, Error *err) {
        if (mkdirat(dir, name, mode) < 0 || fchownat(dir, name, id, id, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set(err, -errno, "make the directory %s", name);
        return 0;
}

int root_open(int root, const char *path, int flags) {
        struct open_how how = { .flags = (uint64_t) (unsigned) (flags | O_CLOEXEC),
                                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS |
                                           RESOLVE_NO_MAGICLINKS };
        int fd = (int) syscall(SYS_openat2, root, path, &how, sizeof(how));

        return fd < 0 ? -errno : fd;
}

int root_dir(int root, const char *path, uint32_t id, Error *err) {
        autoclose int parent = -EBADF;
        const char *name = strrchr(path, '/');
        char above[128] = ".";
        int fd = root_open(root, path, O_PATH | O_DIRECTORY), r;

        if (fd == -ELOOP || fd == -ENOTDIR)
                return error_say(err, fd,
                                 "/%s of the snapshot is a link or a file where a directory must "
                                 "be: import it with a directory there",
                                 path);
        if (fd != -ENOENT)
                return fd < 0 ? error_set(err, fd, "open /%s", path) : fd;
        if (name)
                (void) snprintf(above, sizeof(above), "%.*s", (int) (name - path), path);
        parent = name ? root_dir(root, above, id, err)
                      : root_open(root, above, O_PATH | O_DIRECTORY);
        if (parent < 0)
                return parent;
        r = dir_make(parent, name ? name + 1 : path, 0755, id, err);
        if (r < 0)
                return r;
        fd = root_open(root, path, O_PATH | O_DIRECTORY);
        return fd < 0 ? error_set(err, fd, "open /%s", path) : fd;
}

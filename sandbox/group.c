/*
 * group: see group.h.
 */
#include "sandbox/group.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"

#define TREE_DEPTH 6 /* ours are three deep; a command may not make groups */

int group_open_file(int group, const char *file, int flags) {
        int fd = openat(group, file, flags | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

int group_write(int group, const char *file, const char *text, Error *err) {
        autoclose int fd = group_open_file(group, file, O_WRONLY);
        int r;

        if (fd < 0)
                return error_set(err, fd, "open %s of a group", file);
        r = fd_write_all(fd, text, strlen(text));
        if (r < 0)
                return error_set(err, r, "write \"%s\" to %s of a group", text, file);
        return 0;
}

int group_read(int group, const char *file, char *text, size_t n) {
        autoclose int fd = group_open_file(group, file, O_RDONLY);
        ssize_t got = fd < 0 ? -1 : read(fd, text, n - 1);

        if (got < 0)
                return fd < 0 ? fd : -errno;
        text[got] = 0;
        text[strcspn(text, "\n")] = 0;
        return 0;
}

int group_write_number(int group, const char *file, uint64_t value, Error *err) {
        char text[24];

        (void) snprintf(text, sizeof(text), "%" PRIu64, value);
        return group_write(group, file, text, err);
}

int group_make(int parent, const char *name, Error *err) {
        if (mkdirat(parent, name, 0755) < 0)
                return error_set(err, -errno, "make the group %s", name);
        return 0;
}

int group_open(int parent, const char *name, Error *err) {
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? error_set(err, -errno, "open the group %s", name) : fd;
}

int group_give(int group, const char *what, uint32_t uid, Error *err) {
        if (fchownat(group, what, uid, (gid_t) -1, 0) < 0)
                return error_set(err, -errno, "give %s of a group to init", what);
        return 0;
}

static int remove_below(int group, unsigned depth) {
        DIR *dir;
        struct dirent *entry;
        int r = 0, fd;

        fd = openat(group, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        dir = fdopendir(fd);
        if (!dir) {
                r = -errno;
                (void) close(fd);
                return r;
        }
        while (r == 0 && (entry = readdir(dir))) {
                autoclose int below = -EBADF;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                below = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (below >= 0 && depth > 0)
                        r = remove_below(below, depth - 1);
                if (r == 0 && unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) < 0)
                        r = -errno;
        }
        (void) closedir(dir);
        return r;
}

int group_remove_tree(int parent, const char *name) {
        autoclose int group = -EBADF;
        int r;

        if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                return 0;
        group = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (group < 0)
                return -errno;
        r = remove_below(group, TREE_DEPTH);
        if (r < 0)
                return r;
        return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

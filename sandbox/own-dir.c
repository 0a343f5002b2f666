/*
 * own-dir: see own-dir.h. No path is followed through a link, and nothing is looked at before it is open.
 */
#include "sandbox/own-dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned.h"

#define DEPTH_MAX 16

int own_dir(int at, const char *path, mode_t mode, mode_t barred, Error *err) {
        autoclose int fd = -EBADF;
        struct stat st;

        if (mkdirat(at, path, mode) < 0 && errno != EEXIST)
                return error_set(err, -errno, "make %s", path);
        fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set(err, -errno, "open %s", path);
        if (st.st_uid != 0 || (st.st_mode & barred) != 0)
                return error_say(err, -EPERM,
                                 "%s belongs to uid %u with mode %o: it must be root's, and nobody "
                                 "else may %s it",
                                 path, st.st_uid, st.st_mode & 07777u,
                                 barred == OWN_DIR_OURS ? "have rights on" : "write to");
        return TAKE_FD(fd);
}

int own_dir_parent(const char *path, Error *err) {
        autofree char *copy = strdup(path);
        autoclose int fd = -EBADF;

        if (!copy)
                return error_set(err, -ENOMEM, "make the parent of %s", path);
        for (char *at = strchr(copy + 1, '/'); at; at = strchr(at + 1, '/')) {
                *at = '\0';
                (void) mkdir(copy, 0755); /* what is wrong with it the next line says */
                *at = '/';
        }
        fd = own_dir(AT_FDCWD, dirname(copy), 0755, OWN_DIR_READ, err);
        return fd < 0 ? fd : 0;
}

typedef struct Owner {
        uint32_t uid, gid;
} Owner;

static int give_tree(int fd, const Owner *owner, unsigned depth, Error *err) {
        DIR *dir = depth > 0 ? fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 0)) : NULL;
        const struct dirent *entry;
        int r = 0;

        if (!dir)
                return error_set(err, depth > 0 ? -errno : -ELOOP, "hand the front its state");
        while (r == 0 && (entry = readdir(dir))) {
                autoclose int child = openat(fd, entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                autoclose int below = -EBADF;
                struct stat st;

                if (strcmp(entry->d_name, "..") == 0 || child < 0 || fstat(child, &st) < 0 ||
                    (!S_ISDIR(st.st_mode) && (!S_ISREG(st.st_mode) || st.st_nlink > 1)))
                        continue;
                if (fchownat(child, "", owner->uid, owner->gid, AT_EMPTY_PATH) < 0)
                        r = error_set(err, -errno, "hand %s to the front", entry->d_name);
                if (r < 0 || !S_ISDIR(st.st_mode) || strcmp(entry->d_name, ".") == 0)
                        continue;
                below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                r = below < 0 ? -errno : give_tree(below, owner, depth - 1, err);
        }
        (void) closedir(dir);
        return r;
}

int own_dir_give(int fd, uint32_t uid, uint32_t gid, Error *err) {
        const Owner owner = { uid, gid };

        return give_tree(fd, &owner, DEPTH_MAX, err);
}

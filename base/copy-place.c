/*
 * copy-place: see copy-place.h.
 */
#include "base/copy-place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned.h"

bool copy_name_is_valid(const char *name, size_t n) {
        if (n == 0 || n > COPY_NAME_MAX || memchr(name, '/', n) || memchr(name, 0, n))
                return false;
        return !(n == 1 && name[0] == '.') && !(n == 2 && name[0] == '.' && name[1] == '.');
}

/* ---- finding it ----------------------------------------------------------------------------------- */

static int in_directory(CopyPlace *place, int dir, const char *path, const char *name, Error *err) {
        if (!copy_name_is_valid(name, strlen(name)))
                return error_say(err, -EISDIR,
                                 "%s is a directory, and what is copied has no name of its own: "
                                 "say how it is to be called there",
                                 path);
        place->dir = dir;
        memcpy(place->name, name, strlen(name) + 1);
        return 0;
}

/* @path is not there, or a file, that is to be replaced */
static int beside(CopyPlace *place, const char *path, Error *err) {
        char above[PATH_MAX];
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        size_t n = slash ? (size_t) (slash - path) : 0;

        if (n >= sizeof(above) || !copy_name_is_valid(name, strlen(name)))
                return error_say(err, -EINVAL, "%s: no file can have such a name", path);
        (void) snprintf(above, sizeof(above), "%.*s", (int) n, path);
        place->dir = open(!slash ? "." : n == 0 ? "/" : above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (place->dir < 0)
                return error_set(err, -errno, "open the directory of %s", path);
        memcpy(place->name, name, strlen(name) + 1);
        return 0;
}

static int find(CopyPlace *place, const char *path, const char *name, Error *err) {
        size_t n = strlen(path);
        bool says_dir = n > 0 && path[n - 1] == '/';
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (says_dir ? 0 : O_NOFOLLOW));
        struct stat st;

        if (fd >= 0) {
                int r = in_directory(place, fd, path, name, err);

                if (r < 0)
                        (void) close(fd);
                return r;
        }
        if (says_dir || (errno != ENOENT && errno != ENOTDIR && errno != ELOOP))
                return error_set(err, -errno, "open %s", path);
        if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
                return error_say(
                        err, -ELOOP,
                        "%s is a link: name the place that it leads to (or %s/, where that "
                        "is a directory)",
                        path, path);
        return beside(place, path, err);
}

static int choose_temporary(CopyPlace *place, Error *err) {
        uint64_t number = 0;

        if (getrandom(&number, sizeof(number), 0) != (ssize_t) sizeof(number))
                return error_set(err, -errno, "choose a name");
        (void) snprintf(place->temporary, sizeof(place->temporary), ".warder-cp-%016llx",
                        (unsigned long long) number);
        return 0;
}

int copy_place_open(CopyPlace *ret, const char *path, const char *name, Error *err) {
        CopyPlace place = { .dir = -EBADF };
        int r = choose_temporary(&place, err);

        if (r == 0)
                r = find(&place, path, name, err);
        if (r == 0)
                *ret = place;
        return r;
}

int copy_place_enter(CopyPlace *ret, const char *path, Error *err) {
        size_t n = strlen(path);
        bool says_dir = n > 0 && path[n - 1] == '/';
        CopyPlace place = { .dir = -EBADF };
        int r = choose_temporary(&place, err);

        if (r < 0)
                return r;
        place.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (says_dir ? 0 : O_NOFOLLOW));
        if (place.dir < 0)
                return error_set(err, -errno, "open the directory %s", path);
        *ret = place;
        return 0;
}

/* ---- the end -------------------------------------------------------------------------------------- */

int copy_place_fill(CopyPlace *place, Error *err) {
        if (renameat(place->dir, place->temporary, place->dir, place->name) < 0) {
                if (errno == ENOTEMPTY || errno == EEXIST || errno == EISDIR)
                        return error_say(err, -EEXIST,
                                         "a directory %s is there already, and is not replaced: "
                                         "remove it, or choose another name",
                                         place->name);
                return error_set(err, -errno, "give %s its name", place->name);
        }
        place->temporary[0] = 0;
        return 0;
}

/* Removes one entry and what is below it. Somebody else may be at work there: no link is followed. */
static void remove_entry(int dir, const char *name, unsigned depth) {
        const struct dirent *entry;
        DIR *list;
        int fd;

        if (unlinkat(dir, name, 0) == 0 || depth > COPY_DEPTH_MAX + 1)
                return;
        if (fchmodat(dir, name, 0700, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                return;
        fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        list = fd < 0 ? NULL : fdopendir(fd);
        while (list && (entry = readdir(list)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        remove_entry(fd, entry->d_name, depth + 1);
        if (list)
                (void) closedir(list);
        else if (fd >= 0)
                (void) close(fd);
        (void) unlinkat(dir, name, AT_REMOVEDIR);
}

void copy_place_deinit(CopyPlace *place) {
        if (place->dir < 0)
                return;
        if (place->temporary[0])
                remove_entry(place->dir, place->temporary, 0);
        (void) close(place->dir);
        *place = (CopyPlace){ .dir = -EBADF };
}

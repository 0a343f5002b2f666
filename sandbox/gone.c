/*
 * gone: see gone.h. Trees are taken apart flat: a directory that is not empty moves up to @gone itself, so no
 * path is followed, no depth is too deep, and two descriptors are enough.
 */
#include "sandbox/gone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/owned.h"

DEFINE_SCOPED(DIR *, closedir);

int gone_take(int gone, int from, const char *name) {
        uint64_t random[2];
        char to[40];

        if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random))
                return -EIO;
        (void) snprintf(to, sizeof(to), "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
        return renameat(from, name, gone, to) < 0 ? -errno : 0;
}

/* The next entry, "." and ".." left out; NULL at the end or on an error. */
static const char *next_name(DIR *dir) {
        struct dirent *entry;

        do
                entry = readdir(dir);
        while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
        return entry ? entry->d_name : NULL;
}

static DIR *open_dir(int at, const char *name) {
        int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir && fd >= 0)
                (void) close(fd);
        return dir;
}

int gone_take_all(int gone, int from) {
        SCOPED(closedir) DIR *dir = open_dir(from, ".");
        const char *name;
        int r = 0;

        if (!dir)
                return -errno;
        while (r == 0 && (name = next_name(dir)))
                r = gone_take(gone, from, name);
        return r;
}

/* Empty gone/@name one level deep and remove it; its full directories move to @gone. */
static int remove_one(int gone, const char *name) {
        SCOPED(closedir) DIR *dir = NULL;
        const char *child;

        if (unlinkat(gone, name, 0) == 0)
                return 0;
        dir = open_dir(gone, name);
        if (!dir)
                return -errno;
        while ((child = next_name(dir)))
                if (unlinkat(dirfd(dir), child, 0) < 0 &&
                    unlinkat(dirfd(dir), child, AT_REMOVEDIR) < 0)
                        (void) gone_take(gone, dirfd(dir), child);
        return unlinkat(gone, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int gone_empty(int gone) {
        bool progress = true;
        const char *name;

        (void) setpriority(PRIO_PROCESS, 0, 19);
        while (progress) {
                SCOPED(closedir) DIR *dir = open_dir(gone, ".");

                if (!dir)
                        return -errno;
                progress = false;
                while ((name = next_name(dir)))
                        progress |= remove_one(gone, name) == 0;
        }
        return 0;
}

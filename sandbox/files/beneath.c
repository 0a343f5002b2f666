/* beneath: see beneath.h. */
#include "sandbox/files/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/names.h"

int beneath_open(int dir, const char *path, int flags, mode_t mode) {
        struct open_how how = {
                .flags = (unsigned) (flags | O_CLOEXEC | O_NOFOLLOW),
                .mode = (flags & O_CREAT) ? mode : 0,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        long fd;

        do { /* EAGAIN: a rename beside us made the kernel unsure that it stayed beneath */
                fd = syscall(SYS_openat2, dir, *path ? path : ".", &how, sizeof(how));
        } while (fd < 0 && (errno == EAGAIN || errno == EINTR));
        return fd < 0 ? -errno : (int) fd;
}

int beneath_dir(int dir, const char *path) {
        return beneath_open(dir, path, O_RDONLY | O_DIRECTORY, 0);
}

int beneath_parent(int dir, const char *path, const char **ret_leaf) {
        const char *leaf = name_leaf(path);
        char parent[NAME_PATH_MAX];
        size_t n = leaf == path ? 0 : (size_t) (leaf - path) - 1;
        int fd;

        memcpy(parent, path, n);
        parent[n] = 0;
        fd = beneath_open(dir, parent, O_PATH | O_DIRECTORY, 0);
        if (fd >= 0)
                *ret_leaf = leaf;
        return fd;
}

int beneath_stat(int dir, const char *path, struct stat *ret_stat) {
        const char *leaf = NULL;
        autoclose int parent = -EBADF;

        if (!*path)
                return fstat(dir, ret_stat) < 0 ? -errno : 0;
        parent = beneath_parent(dir, path, &leaf);
        if (parent == -ENOTDIR || parent == -ELOOP)
                return -ENOENT;
        if (parent < 0)
                return parent;
        return fstatat(parent, leaf, ret_stat, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int beneath_read_link(int dir, const char *path, char *text) {
        const char *leaf = NULL;
        autoclose int parent = beneath_parent(dir, path, &leaf);
        ssize_t n;

        if (parent < 0)
                return parent;
        n = readlinkat(parent, leaf, text, NAME_PATH_MAX);
        if (n < 0)
                return -errno;
        if (n >= NAME_PATH_MAX)
                return -ENAMETOOLONG;
        text[n] = 0;
        return (int) n;
}

static int remove_children(int fd) {
        SCOPED(listing_free) Listing *list = NULL;
        int r = listing_new(fd, &list);
        unsigned i;

        for (i = 0; r >= 0 && i < list->n; i++)
                r = beneath_remove(fd, list->items[i].name);
        return r;
}

int beneath_remove(int dir, const char *path) {
        const char *leaf = NULL;
        autoclose int parent = beneath_parent(dir, path, &leaf);
        autoclose int fd = -EBADF;
        int r;

        if (parent < 0)
                return parent;
        if (unlinkat(parent, leaf, 0) == 0)
                return 0;
        if (errno != EISDIR)
                return -errno;
        fd = beneath_dir(parent, leaf);
        if (fd < 0)
                return fd;
        r = remove_children(fd);
        if (r < 0)
                return r;
        return unlinkat(parent, leaf, AT_REMOVEDIR) < 0 ? -errno : 0;
}

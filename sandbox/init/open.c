/*
 * open: files of the jail, opened from inside it, with the file system ids of a command and no capability
 * over files. What is opened is found by O_PATH first, so that nothing happens to a device or a fifo
 * before it is known to be none; then that very object is opened again.
 */
#include "sandbox/init/open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/init/ids.h"

#define OPEN_KNOWN                                                                  \
        (INIT_OPEN_READ | INIT_OPEN_WRITE | INIT_OPEN_CREATE | INIT_OPEN_TRUNCATE | \
         INIT_OPEN_PARENTS)

#define EROFS_MAGIC 0xE0F5E1E2
#define XFS_MAGIC   0x58465342

static int open_how(int dir, const char *path, int flags, mode_t mode, uint64_t resolve) {
        struct open_how how = { .flags = (uint64_t) (unsigned) (flags | O_CLOEXEC),
                                .mode = mode,
                                .resolve = resolve | RESOLVE_NO_MAGICLINKS };
        int fd = (int) syscall(SYS_openat2, dir, path, &how, sizeof(how));

        return fd < 0 ? -errno : fd;
}

/* The jail's own file systems: its uppers, the overlays above them, and what layers lie on. */
static int check_object(int fd, mode_t *ret_mode) {
        static const unsigned long types[] = { TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC, EXT4_SUPER_MAGIC,
                                               XFS_MAGIC,   BTRFS_SUPER_MAGIC,     F2FS_SUPER_MAGIC,
                                               EROFS_MAGIC, SQUASHFS_MAGIC };
        struct statfs fs;
        struct stat st;
        unsigned i;

        if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
                return -EACCES;
        *ret_mode = st.st_mode;
        for (i = 0; i < ELEMENTS(types); i++)
                if ((unsigned long) fs.f_type == types[i])
                        return 0;
        return -EACCES;
}

/* Opens a directory by its absolute path; with @make, makes what is missing of it. @path is restored. */
static int open_dir(char *path, bool make) {
        autoclose int above = -EBADF;
        int fd = open_how(AT_FDCWD, *path ? path : "/", O_PATH | O_DIRECTORY, 0, 0);
        char *name = strrchr(path, '/');

        if (fd != -ENOENT || !make || !name)
                return fd;
        *name = 0;
        above = open_dir(path, true);
        *name = '/';
        if (above < 0)
                return above;
        if (name[1] && mkdirat(above, name + 1, 0755) < 0 && errno != EEXIST)
                return -errno;
        return open_how(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, 0);
}

/* Makes the file where it is missing. Returns: descriptor, -EEXIST where something is there, or -errno. */
static int create(const InitOpen *request, const char *path, int flags) {
        autoclose int dir = -EBADF;
        char above[PATH_MAX], *name;
        mode_t mode;
        int r;

        (void) snprintf(above, sizeof(above), "%s", path);
        name = strrchr(above, '/');
        *name++ = 0;
        dir = open_dir(above, request->flags & INIT_OPEN_PARENTS);
        r = dir < 0 ? dir : check_object(dir, &mode);
        if (r < 0)
                return r;
        return open_how(dir, name, flags | O_CREAT | O_EXCL, request->mode & 0777,
                        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* Opens again, now for use, the very object that was checked. */
static int reopen(int object, int flags) {
        char path[32];
        int fd;

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", object);
        fd = open(path, flags | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int open_there(const InitOpen *request, const char *path, int flags) {
        autoclose int object = open_how(AT_FDCWD, path, O_PATH, 0, 0);
        autoclose int fd = -EBADF;
        mode_t mode;
        int r = object < 0 ? object : check_object(object, &mode);

        if (r < 0)
                return r;
        fd = reopen(object, flags);
        if (fd >= 0 && (request->flags & INIT_OPEN_TRUNCATE) && ftruncate(fd, 0) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int open_request(const InitOpen *request, const char *path, uint64_t *ret_size) {
        bool write = request->flags & INIT_OPEN_WRITE, read = request->flags & INIT_OPEN_READ;
        int flags = (write && read ? O_RDWR : write ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY;
        struct stat st;
        int fd;

        if ((request->flags & ~(uint32_t) OPEN_KNOWN) || (!write && !read) ||
            (!write && (request->flags & (INIT_OPEN_CREATE | INIT_OPEN_TRUNCATE))) ||
            *path != '/' || strlen(path) >= PATH_MAX)
                return -EINVAL;
        if (request->uid >= JAIL_INIT_ID || request->gid >= JAIL_INIT_ID)
                return -EPERM;
        fd = as_user(request->uid, request->gid);
        if (fd < 0)
                return fd;
        fd = open_there(request, path, flags);
        if (fd == -ENOENT && (request->flags & INIT_OPEN_CREATE))
                fd = create(request, path, flags);
        as_init();
        *ret_size = fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t) st.st_size : 0;
        return fd;
}

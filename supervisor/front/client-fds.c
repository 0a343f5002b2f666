/*
 * client-fds: see client-fds.h. fstat alone is not enough: files of nsfs, /proc and cgroups are regular
 * files to it, so the file system's kind is looked at too, against a list of what may be.
 */
#include "supervisor/front/client-fds.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/owned.h"

#define MAGIC_ZFS     0x2fc12fc1
#define MAGIC_BCACHE  0xca451a4e
#define MAGIC_NTFS3   0x7366746e
#define PTS_MAJOR_MIN 136 /* UNIX98 pty slaves; Documentation/admin-guide/devices.txt */
#define PTS_MAJOR_MAX 143

static const unsigned long disk_magics[] = {
        EXT4_SUPER_MAGIC,      XFS_SUPER_MAGIC,   BTRFS_SUPER_MAGIC,    TMPFS_MAGIC,
        OVERLAYFS_SUPER_MAGIC, MAGIC_ZFS,         F2FS_SUPER_MAGIC,     MAGIC_BCACHE,
        SQUASHFS_MAGIC,        EXFAT_SUPER_MAGIC, EROFS_SUPER_MAGIC_V1, MSDOS_SUPER_MAGIC,
        ISOFS_SUPER_MAGIC,     MAGIC_NTFS3,       RAMFS_MAGIC,
};

typedef enum FdKind { FD_OTHER, FD_PIPE, FD_FILE, FD_PTS, FD_DIR } FdKind;

static bool is_disk(unsigned long magic) {
        for (unsigned i = 0; i < ELEMENTS(disk_magics); i++)
                if (disk_magics[i] == magic)
                        return true;
        return false;
}

static FdKind kind_of(const struct stat *what, unsigned long magic) {
        if (S_ISFIFO(what->st_mode))
                return magic == PIPEFS_MAGIC ? FD_PIPE : FD_OTHER;
        if (S_ISREG(what->st_mode))
                return is_disk(magic) ? FD_FILE : FD_OTHER;
        if (S_ISDIR(what->st_mode))
                return FD_DIR;
        if (S_ISCHR(what->st_mode) && magic == DEVPTS_SUPER_MAGIC &&
            major(what->st_rdev) >= PTS_MAJOR_MIN && major(what->st_rdev) <= PTS_MAJOR_MAX)
                return FD_PTS;
        return FD_OTHER;
}

static const struct {
        unsigned kinds; /* BIT(FdKind) */
        const char *text;
} uses[] = {
        [CLIENT_FD_STDIO] = { BIT(FD_PIPE) | BIT(FD_FILE) | BIT(FD_PTS),
                              "a command's input and output are pipes, regular files on disk or "
                              "tmpfs, or terminals (pty slaves): relay anything else through a "
                              "pipe" },
        [CLIENT_FD_TERMINAL] = { BIT(FD_PTS), "with \"tty\" the input must be a terminal (a pty "
                                              "slave)" },
        [CLIENT_FD_INPUT] = { BIT(FD_PIPE) | BIT(FD_FILE),
                              "an archive comes as a pipe or a regular file, open for reading" },
        [CLIENT_FD_DIRECTORY] = { BIT(FD_DIR), "the work directory must be a directory" },
};

int client_fd_check(int fd, ClientFdUse use, Error *err) {
        struct stat what;
        struct statfs where;
        int flags = fcntl(fd, F_GETFL);

        if (fd < 0 || flags < 0)
                return error_say(err, -EBADF, "a descriptor is missing: %s", uses[use].text);
        if (fstat(fd, &what) < 0 || fstatfs(fd, &where) < 0)
                return error_set(err, -errno, "look at a descriptor");
        if (!(uses[use].kinds & BIT(kind_of(&what, (unsigned long) where.f_type))))
                return error_say(err, -EINVAL, "%s", uses[use].text);
        if ((flags & O_PATH) && use != CLIENT_FD_DIRECTORY)
                return error_say(err, -EINVAL, "a descriptor was opened with O_PATH: %s",
                                 uses[use].text);
        if (use == CLIENT_FD_INPUT && (flags & O_ACCMODE) == O_WRONLY)
                return error_say(err, -EINVAL, "a descriptor cannot be read: %s", uses[use].text);
        return 0;
}

/*
 * client-fds: see client-fds.h.
 *
 * No call here may wait for whoever serves a file: fstat(2) and fstatfs(2) of a FUSE or network file do.
 * statx(2) with AT_STATX_DONT_SYNC tells what the kernel has. It also tells on what a regular file lies: files of
 * FUSE, of networks, of nsfs, /proc and cgroups have an anonymous device (major 0). So have those of
 * btrfs, ZFS, tmpfs and overlayfs, but they know the attribute "no dump", which only a file system that keeps
 * its inodes itself has (overlayfs tells that of the layer below).
 *
 * LIMIT: a block device's file system that a program serves ("fuseblk") looks like any other on a disk. Only
 * root may mount one.
 */
#include "supervisor/front/client-fds.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/owned.h"

#define PTS_MAJOR_MIN 136 /* UNIX98 pty slaves; Documentation/admin-guide/devices.txt */
#define PTS_MAJOR_MAX 143

typedef enum FdKind { FD_OTHER, FD_PIPE, FD_FILE, FD_PTS, FD_DIR } FdKind;

static int look(int fd, struct statx *ret) {
        return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, ret) < 0 ? -errno : 0;
}

/* By what the inode is alone: a fifo is not told from a pipe, see is_pipe(). */
static FdKind kind_of(const struct statx *what) {
        if (S_ISFIFO(what->stx_mode))
                return FD_PIPE;
        if (S_ISREG(what->stx_mode))
                return what->stx_dev_major != 0 || (what->stx_attributes_mask & STATX_ATTR_NODUMP)
                               ? FD_FILE
                               : FD_OTHER;
        if (S_ISDIR(what->stx_mode))
                return FD_DIR;
        if (S_ISCHR(what->stx_mode) && what->stx_rdev_major >= PTS_MAJOR_MIN &&
            what->stx_rdev_major <= PTS_MAJOR_MAX)
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

/* All pipes lie on one file system of the kernel's own, mounted once at its start, and a fifo on another. */
static bool is_pipe(const ClientFdPipes *pipes, const struct statx *what) {
        return what->stx_dev_major == pipes->major && what->stx_dev_minor == pipes->minor;
}

int client_fd_learn_pipes(ClientFdPipes *ret, Error *err) {
        autoclose int reader = -EBADF;
        autoclose int writer = -EBADF;
        struct statx ours;
        int fds[2], r;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe");
        reader = fds[0];
        writer = fds[1]; /* NOLINT(clang-analyzer-deadcode.DeadStores): its scope closes it */
        r = look(reader, &ours);
        if (r < 0)
                return error_set(err, r, "look at a pipe");
        *ret = (ClientFdPipes){ ours.stx_dev_major, ours.stx_dev_minor };
        return 0;
}

/* Only devpts opens a device of these numbers, so no server is asked. */
static bool is_on_devpts(int fd) {
        struct statfs where;

        return fstatfs(fd, &where) == 0 && where.f_type == DEVPTS_SUPER_MAGIC;
}

/* A TCP socket that listens has nothing unsent and no queue of descriptors, so nothing to wait for. */
static bool is_listener(int fd) {
        int listens = 0, domain = AF_UNSPEC, type = 0;
        socklen_t size = sizeof(int);

        return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
               getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
               (domain == AF_INET || domain == AF_INET6) &&
               getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

bool client_fd_never_waits(int fd) {
        struct statx what;
        int flags;

        /* pipes, fifos and directories have nothing to flush, and no release of theirs waits */
        if (look(fd, &what) == 0 && (kind_of(&what) != FD_OTHER || is_listener(fd)))
                return true;
        flags = fcntl(fd, F_GETFL);
        return flags < 0 || (flags & O_PATH); /* behind O_PATH no file was opened */
}

bool client_fd_is_directory(int fd) {
        struct statx what;

        return look(fd, &what) == 0 && S_ISDIR(what.stx_mode);
}

int client_fd_check(const ClientFdPipes *pipes, int fd, ClientFdUse use, Error *err) {
        int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
        struct statx what;
        FdKind kind;
        int r;

        if (flags < 0)
                return error_say(err, -EBADF,
                                 "a descriptor is missing, or was closed as of a kind that is "
                                 "never taken: %s",
                                 uses[use].text);
        if ((flags & O_PATH) && use != CLIENT_FD_DIRECTORY)
                return error_say(err, -EINVAL, "a descriptor was opened with O_PATH: %s",
                                 uses[use].text);
        r = look(fd, &what);
        if (r < 0)
                return error_set(err, r, "look at a descriptor");
        kind = kind_of(&what);
        if (!(uses[use].kinds & BIT(kind)) || (kind == FD_PIPE && !is_pipe(pipes, &what)) ||
            (kind == FD_PTS && !is_on_devpts(fd)))
                return error_say(err, -EINVAL, "%s", uses[use].text);
        if (use == CLIENT_FD_INPUT && (flags & O_ACCMODE) == O_WRONLY)
                return error_say(err, -EINVAL, "a descriptor cannot be read: %s", uses[use].text);
        return 0;
}

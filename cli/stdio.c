/*
 * stdio: a jail takes a pipe or a regular file of an ordinary file system, nothing else: a terminal's or
 * a socket's descriptor is a door (TIOCSTI, SCM_RIGHTS, the peer's own powers), and a regular file of
 * /proc is the kernel's. What a caller has beyond that is carried through a pipe of ours.
 */
#include "cli/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define MAGIC_ZFS 0x2fc12fc1

/* Where a regular file is bytes on a disk or in memory; of all others we cannot know */
static const unsigned long ordinary_file_systems[] = {
        EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,       BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
        TMPFS_MAGIC,      OVERLAYFS_SUPER_MAGIC, MAGIC_ZFS,
};

typedef enum Kind { KIND_NULL, KIND_PASS, KIND_RELAY } Kind;

static bool is_ordinary(unsigned long magic) {
        for (size_t i = 0; i < ELEMENTS(ordinary_file_systems); i++)
                if (ordinary_file_systems[i] == magic)
                        return true;
        return false;
}

/* A pipe without a name, or a file of an ordinary file system; a named pipe lies in anybody's directory */
static bool may_pass(int fd, const struct stat *st) {
        struct statfs fs;

        if (fstatfs(fd, &fs) < 0)
                return false;
        if (S_ISFIFO(st->st_mode))
                return fs.f_type == PIPEFS_MAGIC;
        return S_ISREG(st->st_mode) && is_ordinary((unsigned long) fs.f_type);
}

/* A background job that reads its terminal is stopped by the kernel: it gets no input instead */
static bool is_foreign_terminal(int fd) {
        return isatty(fd) && tcgetpgrp(fd) != getpgrp();
}

bool stdio_may_pass(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && !(fcntl(fd, F_GETFL) & O_PATH) && may_pass(fd, &st);
}

static Kind classify(int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0 || fcntl(fd, F_GETFL) & O_PATH)
                return KIND_NULL;
        if (may_pass(fd, &st))
                return KIND_PASS;
        if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
                return KIND_NULL;
        if (S_ISDIR(st.st_mode) || (fd == 0 && is_foreign_terminal(fd)))
                return KIND_NULL;
        return KIND_RELAY;
}

/*
 * A command opens /dev/stderr and its like by the mode of the pipe, which is its maker's alone and shows as
 * nobody's in the jail. A pipe has no name: whom the mode lets in must have been given it first.
 */
static void let_reopen(int fd) {
        struct stat st;

        if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
                (void) fchmod(fd, 0666);
}

int stdio_pipe(int ret_ends[2], Error *err) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe for the command's stdio");
        let_reopen(ends[0]);
        ret_ends[0] = ends[0];
        ret_ends[1] = ends[1];
        return 0;
}

static void take(Stdio *stdio, unsigned i, int fd, bool own) {
        let_reopen(fd);
        stdio->words[i] = "fd";
        stdio->fds[stdio->n_fds] = fd;
        stdio->own[stdio->n_fds++] = own;
}

static int add_relay(Link *link, Stdio *stdio, unsigned i, Error *err) {
        int ends[2];
        int r = stdio_pipe(ends, err);

        if (r < 0)
                return r;
        if (i == 0)
                relay_input(&link->relays[link->n_relays++], 0, ends[1]);
        else
                relay_output(&link->relays[link->n_relays++], ends[0], (int) i);
        take(stdio, i, ends[i == 0 ? 0 : 1], true);
        return 0;
}

/* stdout and stderr on one terminal or socket share one pipe, so that their lines keep their order */
static bool shares_stdout(const Stdio *stdio, const Link *link) {
        struct stat out, errors;

        return link->n_relays > 0 && link->relays[link->n_relays - 1].to == 1 && stdio->n_fds > 0 &&
               fstat(1, &out) == 0 && fstat(2, &errors) == 0 && out.st_dev == errors.st_dev &&
               out.st_ino == errors.st_ino;
}

static int prepare_one(Link *link, Stdio *stdio, unsigned i, Error *err) {
        switch (classify((int) i)) {
        case KIND_NULL:
                stdio->words[i] = "null";
                return 0;
        case KIND_PASS:
                take(stdio, i, (int) i, false);
                return 0;
        case KIND_RELAY:
                break;
        }
        if (i == 2 && shares_stdout(stdio, link)) {
                take(stdio, i, stdio->fds[stdio->n_fds - 1], false);
                return 0;
        }
        return add_relay(link, stdio, i, err);
}

int stdio_prepare(Link *link, bool capture, Stdio *ret, Error *err) {
        *ret = (Stdio){ 0 };
        for (unsigned i = 0; i < 3; i++) {
                int r = 0;

                if (i > 0 && capture)
                        ret->words[i] = "capture";
                else
                        r = prepare_one(link, ret, i, err);
                if (r < 0) {
                        stdio_deinit(ret);
                        return r;
                }
        }
        return 0;
}

void stdio_terminal(int slave, Stdio *ret) {
        *ret = (Stdio){ .words = { "fd", "fd", "fd" },
                        .fds = { slave, slave, slave },
                        .own = { true },
                        .n_fds = 3 };
}

void stdio_deinit(Stdio *stdio) {
        for (unsigned i = 0; i < stdio->n_fds; i++)
                if (stdio->own[i])
                        (void) close(stdio->fds[i]);
        stdio->n_fds = 0;
}

int stdio_source(Link *link, int fd, int *ret_fd, Error *err) {
        int ends[2];

        if (classify(fd) == KIND_PASS) {
                *ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                return *ret_fd < 0 ? error_set(err, -errno, "use the input") : 0;
        }
        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe");
        relay_input(&link->relays[link->n_relays++], fd, ends[1]);
        *ret_fd = ends[0];
        return 0;
}

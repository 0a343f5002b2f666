/*
 * disk: see disk.h.
 */
#include "sandbox/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/priv-caps.h"

#define BLOCK           4096u
#define SUPER_AT        1024 /* of ext4 */
#define SUPER_SIZE      64
#define SUPER_BLOCKS_AT 4
#define SUPER_MAGIC_AT  56
#define LOW_FD          3
#define TAIL_BYTES      (1u << 20)
#define EXIT_NO_MKE2FS  127
#define ROOM_MIN        (8ull << 20) /* less on the host, and that is why mke2fs failed */
#define JOURNAL_FULL    (512ull << 20) /* smaller disks get as small a journal as mke2fs finds right */
#define SPARES          16u
#define SPARE_BYTES     65536
#define SPARE_NAME_SIZE 16
#define LOCK_TRIES      500
#define LOCK_MSEC       20
#define DEVICE_TRIES    100

const char *disk_name(uint64_t disk, char *name) {
        (void) snprintf(name, DISK_NAME_SIZE, "%016" PRIx64 ".img", disk);
        return name;
}

int disk_check(const DiskSpec *spec, Error *err) {
        if (spec->disk == 0)
                return error_say(err, -EINVAL, "a disk has a number");
        if (spec->bytes < DISK_BYTES_MIN || spec->bytes > DISK_BYTES_MAX || spec->bytes % BLOCK)
                return error_say(err, -EINVAL,
                                 "a disk has between %llu and %llu bytes, in blocks of %u",
                                 DISK_BYTES_MIN, DISK_BYTES_MAX, BLOCK);
        return 0;
}

/* ---- making one ---------------------------------------------------------------------------------- */

/*
 * Nothing that a user, a jail or the front chose comes here but the size. The journal is small: it is written
 * all over in time, and the image with it. The inode tables stay holes: mke2fs sees that they are zero. The
 * file system ends before the device does: hosts look at the end of block devices for signs of RAID members, and
 * blocks of the file system say what a jail wrote.
 */
_Noreturn static void become_mke2fs(int image, const DiskSpec *spec, pid_t parent) {
        static const char *const paths[] = { "/usr/sbin/mke2fs", "/sbin/mke2fs" };
        char path[32], blocks[24];
        const char *const journal = spec->bytes < JOURNAL_FULL ? "size=4" : "size=16";
        const char *const argv[] = { "mke2fs",
                                     "-q",
                                     "-F",
                                     "-t",
                                     "ext4",
                                     "-b",
                                     "4096",
                                     "-m",
                                     "0",
                                     "-J",
                                     journal,
                                     "-E",
                                     "root_owner=0:0,lazy_journal_init=1",
                                     path,
                                     blocks,
                                     NULL };
        const char *const env[] = { "LANG=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        image = fcntl(image, F_DUPFD, LOW_FD); /* all others close with the execution */
        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", image);
        (void) snprintf(blocks, sizeof blocks, "%" PRIu64, (spec->bytes - TAIL_BYTES) / BLOCK);
        if (null < 0 || image < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
            caps_drop(spec->maker, spec->maker) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
            getppid() != parent)
                _exit(1);
        for (unsigned i = 0; i < ELEMENTS(paths); i++)
                (void) execve(paths[i], (char *const *) (uintptr_t) argv,
                              (char *const *) (uintptr_t) env);
        _exit(errno == ENOENT ? EXIT_NO_MKE2FS : 1);
}

static int run_mke2fs(int image, const DiskSpec *spec) {
        pid_t self = getpid(), pid = fork();
        struct statvfs host;
        int status = 0;

        if (pid == 0)
                become_mke2fs(image, spec, self);
        if (pid < 0)
                return -errno;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (status == 0)
                return 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_MKE2FS)
                return -ENOPKG;
        return fstatvfs(image, &host) == 0 && host.f_bavail * host.f_frsize < ROOM_MIN ? -ENOSPC
                                                                                       : -EIO;
}

int disk_make(int dir, const DiskSpec *spec) {
        autoclose int image = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        char from[32], to[DISK_NAME_SIZE];
        int r;

        if (image < 0 || ftruncate(image, (off_t) spec->bytes) < 0 ||
            fchown(image, spec->maker, spec->maker) < 0)
                return -errno;
        r = run_mke2fs(image, spec);
        if (r < 0)
                return r;
        (void) snprintf(from, sizeof from, "/proc/self/fd/%d", image);
        if (fchown(image, 0, 0) < 0 || fchmod(image, 0600) < 0 || fsync(image) < 0 ||
            linkat(AT_FDCWD, from, dir, disk_name(spec->disk, to), AT_SYMLINK_FOLLOW) < 0 ||
            fsync(dir) < 0)
                return -errno;
        return 0;
}

/* ---- what is set aside --------------------------------------------------------------------------- */

static const char *spare_name(unsigned i, char *name) {
        (void) snprintf(name, SPARE_NAME_SIZE, "spare-%u", i);
        return name;
}

void disk_spare_take(int root) {
        char name[SPARE_NAME_SIZE];

        for (unsigned i = 0; root >= 0 && i < SPARES; i++)
                (void) unlinkat(root, spare_name(i, name), 0);
}

void disk_spare_put(int root) {
        char name[SPARE_NAME_SIZE];

        for (unsigned i = 0; root >= 0 && i < SPARES; i++) {
                autoclose int fd = openat(root, spare_name(i, name),
                                          O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

                if (fd < 0 || fallocate(fd, 0, 0, SPARE_BYTES) < 0)
                        return;
        }
}

/* ---- using one ----------------------------------------------------------------------------------- */

int disk_open(int dir, uint64_t disk, Error *err) {
        autoclose int fd = -EBADF;
        char name[DISK_NAME_SIZE];
        struct stat st;

        fd = openat(dir, disk_name(disk, name), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return error_say(err, -ENOENT,
                                 "the workspace's disk is gone: workspaces/%s of the "
                                 "state directory",
                                 name);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set(err, -errno, "open the workspace's disk %s", name);
        if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & 077) || st.st_nlink != 1 ||
            (uint64_t) st.st_size < DISK_BYTES_MIN)
                return error_say(err, -EUCLEAN,
                                 "the workspace's disk %s is not as it was made: a regular file of "
                                 "root alone, with mode 0600 and one name, of at least %llu bytes",
                                 name, DISK_BYTES_MIN);
        return TAKE_FD(fd);
}

int disk_used(int dir, uint64_t disk, uint64_t *ret, Error *err) {
        char name[DISK_NAME_SIZE];
        struct stat st;

        if (fstatat(dir, disk_name(disk, name), &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set(err, -errno, "look at the workspace's disk %s", name);
        *ret = (uint64_t) st.st_blocks * 512;
        return 0;
}

int disk_check_free(int dir, uint64_t disk, Error *err) {
        char name[DISK_NAME_SIZE];
        autoclose int fd =
                openat(dir, disk_name(disk, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? 0
                                       : error_set(err, -errno, "look whether %s is in use", name);
        return flock(fd, LOCK_EX | LOCK_NB) < 0
                       ? error_say(err, -EBUSY,
                                   "the workspace's disk is still in use: a process outside has a "
                                   "file of it open")
                       : 0;
}

/* The jail before this one may be ended, and what it wrote still be on its way to the image. */
static int take_lock(int image, Error *err) {
        for (unsigned i = 0; flock(image, LOCK_EX | LOCK_NB) < 0; i++) {
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return error_set(err, -errno, "lock the workspace's disk");
                if (i >= LOCK_TRIES)
                        return error_say(err, -EBUSY,
                                         "the workspace's disk is still in use: a process outside "
                                         "has a file of it open, or another supervisor has it");
                (void) poll(NULL, 0, LOCK_MSEC);
        }
        return 0;
}

/* Returns: descriptor; -EBUSY without a reason: another was quicker to take this number. */
static int try_device(int image, int dev, int number, Error *err) {
        struct loop_config config = { .fd = (uint32_t) image,
                                      .block_size = BLOCK,
                                      .info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO };
        autoclose int fd = -EBADF;
        char name[24];

        (void) snprintf(name, sizeof name, "loop%d", number);
        fd = openat(dev, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "open /dev/%s", name);
        if (ioctl(fd, LOOP_CONFIGURE, &config) == 0)
                return TAKE_FD(fd);
        return errno == EBUSY ? -EBUSY : error_set(err, -errno, "make /dev/%s the disk", name);
}

static uint32_t little(const uint8_t *at, unsigned n) {
        return n == 0 ? 0 : *at | little(at + 1, n - 1) << 8;
}

/* By the places where every ext4 has its magic number and its size. The image is root's, and no jail writes there */
static bool is_whole(int image) {
        uint8_t super[SUPER_SIZE];
        struct stat st;

        return fstat(image, &st) == 0 &&
               pread(image, super, sizeof super, SUPER_AT) == (ssize_t) sizeof super &&
               little(super + SUPER_MAGIC_AT, 2) == EXT4_SUPER_MAGIC &&
               little(super + SUPER_BLOCKS_AT, 4) <= (uint64_t) st.st_size / BLOCK;
}

int disk_refused(int image, int r, Error *err) {
        bool is_damaged = r == -EUCLEAN || r == -EBADMSG || (r == -EINVAL && !is_whole(image));

        if (is_damaged)
                return error_say(err, -EUCLEAN, "its file system is damaged: see e2fsck(8)");
        if (r == -EINVAL)
                return error_say(
                        err, -ENOTSUP,
                        "the kernel does not take its file system: the kernel's log says why "
                        "(a feature of ext4 that mke2fs knows and this kernel does not, or "
                        "damage: see e2fsck(8))");
        return r;
}

int disk_attach(int image, int dev, Error *err) {
        autoclose int control = openat(dev, "loop-control", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        int r, number;

        if (control < 0)
                return error_set(err, -errno,
                                 "open /dev/loop-control: persistent workspaces need loop devices");
        r = take_lock(image, err);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < DEVICE_TRIES; i++) {
                number = ioctl(control, LOOP_CTL_GET_FREE);
                if (number < 0)
                        return error_set(err, -errno, "find a free loop device");
                r = try_device(image, dev, number, err);
                if (r != -EBUSY)
                        return r;
        }
        return error_say(err, -EBUSY, "every loop device was taken by somebody else");
}

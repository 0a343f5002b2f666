/*
 * block-device: see block-device.h.
 */
#include "sandbox/block-device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned.h"

static int read_line(int dir, const char *path, char *text, size_t n) {
        autoclose int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
        ssize_t got = fd < 0 ? -1 : read(fd, text, n - 1);

        if (got <= 0)
                return -ENOENT;
        text[got] = 0;
        text[strcspn(text, "\n")] = 0;
        return 0;
}

int block_device_of(int fd, char *text, Error *err) {
        struct statx st;
        char path[64], line[BLOCK_DEVICE_MAX];
        autoclose int device = -EBADF;

        /* not asking the file system: one that a caller serves need not answer */
        if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &st) < 0)
                return error_set(err, -errno, "look at a directory");
        (void) snprintf(text, BLOCK_DEVICE_MAX, "%u:%u", st.stx_dev_major, st.stx_dev_minor);
        (void) snprintf(path, sizeof(path), "/sys/dev/block/%s", text);
        device = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (device < 0)
                return error_say(err, -ENOTSUP,
                                 "the state directory is on a file system without a disk of its "
                                 "own (%s): no rate can be set there",
                                 text);
        /* a partition's entry is a link to .../DISK/PARTITION */
        if (read_line(device, "partition", line, sizeof(line)) == 0) {
                if (read_line(device, "../dev", line, sizeof(line)) < 0)
                        return error_say(err, -ENOTSUP, "the disk of partition %s has no name",
                                         text);
                (void) snprintf(text, BLOCK_DEVICE_MAX, "%s", line);
        }
        return 0;
}

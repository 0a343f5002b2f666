/* copies: see copies.h. */
#include "sandbox/init/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fds.h"
#include "base/owned.h"

/* An open file of its own, for reading alone, of a memfd */
static int reopen(int fd) {
        char path[32];
        int again;

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        again = open(path, O_RDONLY | O_CLOEXEC);
        return again < 0 ? -errno : again;
}

static void drop_unheld(Copy *copy) {
        if (!copy->used || fcntl(copy->fd, F_SETLEASE, F_WRLCK) < 0)
                return;
        fds_close(&copy->fd, 1); /* and the lease with it */
        copy->used = false;
}

/* Room for @bytes more. Returns: NULL: there is none */
static Copy *find_room(Copies *copies, uint64_t bytes) {
        Copy *room = NULL;

        for (unsigned i = 0; i < COPIES_MAX; i++) {
                Copy *copy = &copies->items[i];

                drop_unheld(copy);
                if (copy->used)
                        bytes += copy->kept;
                else
                        room = copy;
        }
        return bytes > COPIES_BYTES_MAX ? NULL : room;
}

static int make(Copies *copies, uint64_t command, const Capture *capture, Copy **ret) {
        Copy *copy = find_room(copies, capture->head_n + capture->ring_n);
        Copy made = { .used = true, .command = command, .seen = capture->seen };
        autoclose int written = -EBADF;

        if (!copy)
                return -EBUSY;
        written = capture_copy(capture, &made.kept, &made.cut_at);
        made.fd = written < 0 ? written : reopen(written);
        if (made.fd < 0)
                return made.fd;
        *copy = made;
        *ret = copy;
        return 0;
}

int copies_give(Copies *copies, uint64_t command, const Capture *capture, Copy *ret) {
        Copy *found = NULL;
        int fd, r = 0;

        for (unsigned i = 0; i < COPIES_MAX; i++) {
                Copy *copy = &copies->items[i];

                if (copy->used && copy->command == command && copy->seen == capture->seen)
                        found = copy;
        }
        if (!found)
                r = make(copies, command, capture, &found);
        if (r < 0)
                return r;
        fd = reopen(found->fd);
        if (fd < 0)
                return fd;
        *ret = *found;
        ret->fd = fd;
        return 0;
}

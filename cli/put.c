/*
 * put: see put.h.
 */
#include "cli/put.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static int wait_for_room(void) {
        struct pollfd room = { .fd = STDOUT_FILENO, .events = POLLOUT };

        return poll(&room, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

int put_bytes(const char *bytes, size_t n) {
        int r = 0;

        while (r == 0 && n > 0) {
                ssize_t done = write(STDOUT_FILENO, bytes, n);

                if (done >= 0) {
                        bytes += done;
                        n -= (size_t) done;
                } else if (errno == EAGAIN) {
                        r = wait_for_room();
                } else if (errno != EINTR) {
                        r = -errno;
                }
        }
        return r;
}

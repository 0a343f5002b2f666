/*
 * consent: see consent.h.
 */
#include "base/consent.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/owned.h"

#define RANDOM_DIGITS 16

/* What comes before the random digits. Asks no file system: a caller may serve that of the directory. */
static int format(int dir, bool rw, char *text, size_t size) {
        struct statx st;

        if (statx(dir, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) < 0)
                return -errno;
        return snprintf(text, size, "warder-%s/%x:%x:%llx/", rw ? "rw" : "dir", st.stx_dev_major,
                        st.stx_dev_minor, (unsigned long long) st.stx_ino);
}

int consent_give(int sock, int dir, bool rw, Error *err) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char *text = address.sun_path + 1;
        const size_t size = sizeof(address.sun_path) - 1;
        int n = format(dir, rw, text, size);
        uint64_t random;

        if (n < 0)
                return error_set(err, n, "look at the directory");
        if (getrandom(&random, sizeof(random), 0) != (ssize_t) sizeof(random))
                return error_set(err, -EIO, "make a name for this connection");
        (void) snprintf(text + n, size - (size_t) n, "%016llx", (unsigned long long) random);
        if (bind(sock, (const struct sockaddr *) &address,
                 (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + strlen(text))) < 0)
                return error_set(err, -errno, "name this connection");
        return 0;
}

bool consent_covers(int sock, int dir, bool rw) {
        struct sockaddr_un address = { 0 };
        socklen_t size = sizeof(address);
        char text[sizeof(address.sun_path)];
        int n = format(dir, rw, text, sizeof(text));

        return n > 0 && getpeername(sock, (struct sockaddr *) &address, &size) == 0 &&
               address.sun_family == AF_UNIX &&
               size == offsetof(struct sockaddr_un, sun_path) + 1 + (size_t) n + RANDOM_DIGITS &&
               address.sun_path[0] == 0 && memcmp(address.sun_path + 1, text, (size_t) n) == 0;
}

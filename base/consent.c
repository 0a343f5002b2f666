/*
 * consent: see consent.h.
 */
#include "base/consent.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/owned.h"

#define PREFIX_LENGTH (sizeof(CONSENT_PREFIX) - 1)

int consent_give(int sock, Error *err) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        uint64_t random;
        int n;

        /* nobody else can take the name first where nobody can guess it */
        if (getrandom(&random, sizeof(random), 0) != (ssize_t) sizeof(random))
                return error_set(err, -EIO, "make a name for this connection");
        n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, CONSENT_PREFIX "%016llx",
                     (unsigned long long) random);
        if (bind(sock, (const struct sockaddr *) &address,
                 (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + (size_t) n)) < 0)
                return error_set(err, -errno, "name this connection");
        return 0;
}

bool consent_is_given(int sock) {
        struct sockaddr_un address = { 0 };
        socklen_t n = sizeof(address);

        return getpeername(sock, (struct sockaddr *) &address, &n) == 0 &&
               address.sun_family == AF_UNIX && n <= sizeof(address) &&
               n > offsetof(struct sockaddr_un, sun_path) + 1 + PREFIX_LENGTH &&
               address.sun_path[0] == 0 &&
               memcmp(address.sun_path + 1, CONSENT_PREFIX, PREFIX_LENGTH) == 0;
}

/*
 * consent: names that a hostile client gives its end of a connection. Input: a byte that chooses a true name to
 * begin with, then edits of it (a place, a byte), or with the highest bit bytes in its place. A name speaks of
 * one directory and one right at most, and only as consent_give() writes it.
 */
#include "base/consent.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/fuzz/fuzz.h"

#define WAYS 4 /* two directories, to be shown or changed */

static int listener = -EBADF, dirs[2];
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static socklen_t address_size = sizeof(address);

static void must(bool good) {
        if (!good)
                abort();
}

static void start(void) {
        const struct sockaddr_un any = { .sun_family = AF_UNIX };

        dirs[0] = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        dirs[1] = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(bind(listener, (const struct sockaddr *) &any, sizeof(any.sun_family)) == 0);
        must(listen(listener, 8) == 0);
        must(getsockname(listener, (struct sockaddr *) &address, &address_size) == 0);
}

/* What stands before the 16 digits, said a second time. Returns: its bytes. */
static size_t true_name(unsigned way, char *text, size_t size) {
        struct stat st;

        must(fstat(dirs[way & 1], &st) == 0);
        return (size_t) snprintf(text, size, "warder-%s/%x:%x:%llx/", way & 2 ? "rw" : "dir",
                                 major(st.st_dev), minor(st.st_dev),
                                 (unsigned long long) st.st_ino);
}

static size_t make_name(const uint8_t *data, size_t n, char *text, size_t size) {
        size_t used = true_name(data[0] & 3, text, size);

        (void) snprintf(text + used, size - used, "%016x", (unsigned) getpid());
        used += 16;
        if (data[0] & 0x80) {
                used = n - 1 < size ? n - 1 : size;
                memcpy(text, data + 1, used);
                return used;
        }
        if (data[0] & 0x40)
                used -= data[0] >> 2 & 15;
        for (size_t i = 1; i + 1 < n; i += 2)
                text[data[i] % used] = (char) data[i + 1];
        return used;
}

/* Returns: the accepted end, of a client with this name; -1: the name cannot be had */
static int connect_as(const char *name, size_t n, int *ret_client) {
        struct sockaddr_un own = { .sun_family = AF_UNIX };
        int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(own.sun_path + 1, name, n);
        *ret_client = client;
        if (bind(client, (const struct sockaddr *) &own,
                 (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + n)) < 0 ||
            connect(client, (const struct sockaddr *) &address, address_size) < 0)
                return -1;
        return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        char name[sizeof(address.sun_path) - 1], whole[sizeof(name)];
        int client, conn;
        unsigned covered = 0;
        size_t used;

        if (n < 1)
                return 0;
        if (listener < 0)
                start();
        used = make_name(data, n, name, sizeof(name));
        conn = connect_as(name, used, &client);
        for (unsigned way = 0; conn >= 0 && way < WAYS; way++) {
                size_t head = true_name(way, whole, sizeof(whole));
                bool is = used == head + 16 && memcmp(name, whole, head) == 0;

                must(consent_covers(conn, dirs[way & 1], way & 2) == is);
                covered += is;
        }
        must(covered <= 1);
        if (conn >= 0)
                (void) close(conn);
        (void) close(client);
        return 0;
}

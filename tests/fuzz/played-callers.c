/*
 * played-callers: see played-callers.h. Which directory may be shown or changed stands in the table of
 * directories: whoever else's connection comes with it, in whatever view, it is to be refused.
 */
#include "tests/fuzz/played-callers.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/consent.h"
#include "base/fds.h"
#include "base/owned.h"
#include "tests/fuzz/played.h"

#define USER 1000u

typedef struct Place {
        const char *name;
        uid_t owner;
        bool shown, changed; /* may be, by somebody's word */
} Place;

static const Place places[] = {
        { "own", USER, true, true },      /* its owner lets a jail change it */
        { "shown", USER, true, false },   /* its owner lets a jail see it */
        { "closed", USER, false, false }, /* another user says it may */
        { "root", 0, true, false },     /* root says yes to all, but nothing of root's is changed */
        { "state", USER, true, false }, /* as if given away: still a place of the supervisor's */
};

static const struct {
        const char *place;
        uid_t uid;
        bool rw;
} words[] = {
        { "own", USER, true }, { "shown", USER, false }, { NULL, USER, false },
        { "root", 0, true },   { "state", 0, true },     { "closed", USER + 1, true },
};

enum {
        FD_FILTER,
        FD_UNSEALED,
        FD_NULL,
        FD_PLACES,
        FD_CONNS = FD_PLACES + ELEMENTS(places),
        FD_LISTENER = FD_CONNS + ELEMENTS(words),
        FD_PAIR,
        FD_CLIENT,
        FDS
};

static int fds[FDS];
static struct stat stats[ELEMENTS(places)];

int callers_fd(unsigned byte) {
        return fds[byte % FDS];
}

int callers_listener(void) {
        return fds[FD_LISTENER];
}

static unsigned find_place(const char *name) {
        unsigned i = 0;

        while (strcmp(places[i].name, name) != 0)
                i++;
        return i;
}

int callers_state(void) {
        return fds[FD_PLACES + find_place("state")];
}

bool played_dir_allowed(int dir, bool changes) {
        struct stat st;

        played_must(fstat(dir, &st) == 0);
        for (unsigned i = 0; i < ELEMENTS(places); i++)
                if (st.st_dev == stats[i].st_dev && st.st_ino == stats[i].st_ino)
                        return changes ? places[i].changed : places[i].shown;
        return false;
}

/* A connection of @uid's to the listener, accepted; the client's end is kept open for good. */
static int connection(const struct sockaddr_un *address, unsigned word) {
        int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), dir, accepted;

        played_must(sock >= 0);
        if (words[word].place) {
                dir = fds[FD_PLACES + find_place(words[word].place)];
                played_must(consent_give(sock, dir, words[word].rw, NULL) == 0);
        }
        played_must(seteuid(words[word].uid) == 0);
        played_must(connect(sock, (const struct sockaddr *) address, sizeof(*address)) == 0);
        played_must(seteuid(0) == 0);
        accepted = accept4(fds[FD_LISTENER], NULL, NULL, SOCK_CLOEXEC);
        played_must(accepted >= 0);
        if (word == 0)
                fds[FD_CLIENT] = sock;
        return accepted;
}

static void make_places(const char *base) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char path[64];
        int pair[2];

        for (unsigned i = 0; i < ELEMENTS(places); i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", base, places[i].name);
                played_must(mkdir(path, 0755) == 0 &&
                            chown(path, places[i].owner, places[i].owner) == 0);
                fds[FD_PLACES + i] = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
                played_must(fstat(fds[FD_PLACES + i], &stats[i]) == 0);
        }
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", base);
        fds[FD_LISTENER] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        played_must(bind(fds[FD_LISTENER], (struct sockaddr *) &address, sizeof(address)) == 0 &&
                    listen(fds[FD_LISTENER], 8) == 0 && chmod(address.sun_path, 0666) == 0);
        for (unsigned i = 0; i < ELEMENTS(words); i++)
                fds[FD_CONNS + i] = connection(&address, i);
        played_must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        fds[FD_PAIR] = pair[0];
        (void) unlink(address.sun_path);
        for (unsigned i = 0; i < ELEMENTS(places); i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", base, places[i].name);
                (void) rmdir(path); /* the descriptors keep them, and nothing is left */
        }
}

void callers_init(void) {
        const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, 0);
        char base[] = "/tmp/warder-fuzz-XXXXXX";

        if (fds[FD_NULL] > 0)
                return;
        for (unsigned i = 0; i < FDS; i++)
                fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
        fds[FD_FILTER] = memfd_sealed("filter", &allow, sizeof(allow), false, NULL);
        fds[FD_UNSEALED] = memfd_create("filter", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (geteuid() != 0)
                return;
        played_must(mkdtemp(base) != NULL && chmod(base, 0755) == 0);
        make_places(base);
        (void) rmdir(base);
}

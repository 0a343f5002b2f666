/*
 * host-places: see host-places.h. What a jail may change is judged by owner first (it is never root's), so
 * that this is a second wall: against a place that an administrator gave away, and against a directory
 * above one, whose entries its owner could rename.
 */
#include "sandbox/host-places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/owned.h"

#define DEPTH_MAX 64

static const char *const places[] = { "/",    "/etc", "/usr", "/bin",  "/sbin", "/lib", "/proc",
                                      "/sys", "/dev", "/run", "/boot", "/var",  "/root" };

typedef struct Identity {
        uint32_t major, minor;
        uint64_t inode;
} Identity;

static int identify(int fd, Identity *ret, Error *err) {
        struct statx st;

        if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) < 0)
                return error_set(err, -errno, "look at a directory");
        *ret = (Identity){ st.stx_dev_major, st.stx_dev_minor, st.stx_ino };
        return 0;
}

static bool is_same(const Identity *a, const Identity *b) {
        return a->major == b->major && a->minor == b->minor && a->inode == b->inode;
}

/* Is @dir the directory @place, or above it: climbs from there to the root, whose parent is itself. */
static int check_above(const Identity *dir, int place, const char *name, Error *err) {
        autoclose int at = openat(place, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        Identity here, last = { 0 };
        unsigned depth;
        int r;

        for (depth = 0; at >= 0 && depth < DEPTH_MAX; depth++) {
                int parent;

                r = identify(at, &here, err);
                if (r < 0)
                        return r;
                if (is_same(dir, &here))
                        return error_say(err, -EPERM,
                                         "the directory is %s%s: no jail may change it",
                                         depth > 0 ? "above " : "", name);
                if (is_same(&here, &last))
                        return 0;
                last = here;
                parent = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
                (void) close(at);
                at = parent;
        }
        return error_say(err, at < 0 ? -errno : -ELOOP,
                         "cannot tell whether the directory is above %s", name);
}

static int check_path(const Identity *dir, const char *path, Error *err) {
        autoclose int place = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (place < 0)
                return errno == ENOENT || errno == ENOTDIR
                               ? 0
                               : error_set(err, -errno, "open %s", path);
        return check_above(dir, place, path, err);
}

int host_places_check(int dir, int state, uint32_t uid, Error *err) {
        char session[32];
        Identity own;
        unsigned i;
        int r = identify(dir, &own, err);

        for (i = 0; r == 0 && i < ELEMENTS(places); i++)
                r = check_path(&own, places[i], err);
        (void) snprintf(session, sizeof(session), "/run/user/%u", uid);
        if (r == 0)
                r = check_path(&own, session, err);
        return r < 0 ? r : check_above(&own, state, "the supervisor's state", err);
}

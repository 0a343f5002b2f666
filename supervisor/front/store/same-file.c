/*
 * same-file: see same-file.h. No call here waits for whoever serves a file (client-fds.c says why).
 */
#include "supervisor/front/store/same-file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COARSE_SECONDS 2 /* of file systems that know no parts of a second */

/* Both by the clock that stamps inodes */
static bool is_past(const struct statx_timestamp *changed) {
        struct timespec now;

        if (clock_gettime(CLOCK_REALTIME_COARSE, &now) < 0)
                return false;
        if (changed->tv_nsec == 0)
                return changed->tv_sec < now.tv_sec - COARSE_SECONDS;
        return changed->tv_sec < now.tv_sec ||
               (changed->tv_sec == now.tv_sec && changed->tv_nsec < now.tv_nsec);
}

void same_file_look(int fd, SameFile *ret) {
        struct statx what;
        off_t at;

        *ret = (SameFile){ .is_file = false };
        if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &what) < 0 ||
            !S_ISREG(what.stx_mode))
                return;
        at = lseek(fd, 0, SEEK_CUR);
        if (at < 0)
                return;
        *ret = (SameFile){ .is_file = true,
                           .shows_changes = is_past(&what.stx_ctime),
                           .major = what.stx_dev_major,
                           .minor = what.stx_dev_minor,
                           .inode = what.stx_ino,
                           .size = what.stx_size,
                           .at = at,
                           .modified = what.stx_mtime,
                           .changed = what.stx_ctime };
}

static bool is_time(const struct statx_timestamp *a, const struct statx_timestamp *b) {
        return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool same_file_is(const SameFile *a, const SameFile *b) {
        return a->is_file && b->is_file && a->major == b->major && a->minor == b->minor &&
               a->inode == b->inode && a->size == b->size && a->at == b->at &&
               is_time(&a->modified, &b->modified) && is_time(&a->changed, &b->changed);
}

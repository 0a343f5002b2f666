/*
 * ceilings-file: see ceilings-file.h. A look is one fstatat(); an editor that writes a new file and renames
 * it over the old one changes inode and time, one that writes in place changes time and size.
 */
#include "supervisor/front/policy/ceilings-file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fds.h"
#include "base/log.h"
#include "base/owned.h"

struct CeilingsFile {
        int dir_fd;     /* borrowed */
        Ceilings *good; /* owned; NULL: no file */
        bool has_good;  /* or the wish for none */
        Error wrong;    /* why the file that is there now does not hold */
        struct stat seen;
        unsigned count;
};

CeilingsFile *ceilings_file_free(CeilingsFile *file) {
        if (!file)
                return NULL;
        ceilings_free(file->good);
        free(file);
        return NULL;
}
DEFINE_SCOPED(CeilingsFile *, ceilings_file_free);

static bool is_same(const struct stat *a, const struct stat *b) {
        return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
               a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
               a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void take_good_consume(CeilingsFile *file, Ceilings *good) {
        ceilings_free(file->good);
        file->good = good;
        file->has_good = true;
        file->wrong = ERROR_EMPTY;
        file->count++;
}

static int read_file(const CeilingsFile *file, Ceilings **ret, Error *err) {
        autoclose int fd =
                openat(file->dir_fd, CEILINGS_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        autofree char *text = NULL;
        struct stat what;
        size_t n = 0;
        int r;

        if (fd < 0 || fstat(fd, &what) < 0)
                return error_set(err, -errno, "open " CEILINGS_NAME);
        if (!S_ISREG(what.st_mode))
                return error_say(err, -EINVAL, CEILINGS_NAME " is no regular file");
        r = fd_read_all(fd, CEILINGS_TEXT_MAX, &text, &n);
        if (r < 0)
                return error_set(err, r, "read " CEILINGS_NAME);
        return ceilings_new(text, n, ret, err);
}

static void look(CeilingsFile *file) {
        struct stat now = { 0 };
        Ceilings *ceilings = NULL;
        Error err = ERROR_EMPTY;

        if (file->dir_fd >= 0 && fstatat(file->dir_fd, CEILINGS_NAME, &now, 0) < 0 &&
            errno != ENOENT)
                now.st_size = -errno; /* another reason is another file */
        if (file->count > 0 && is_same(&now, &file->seen))
                return;
        file->seen = now;
        if (now.st_ino == 0 && now.st_size == 0) {
                take_good_consume(file, NULL);
        } else if (read_file(file, &ceilings, &err) >= 0) {
                take_good_consume(file, ceilings);
                log_event(LOG_INFO, "ceilings are in force");
        } else {
                file->wrong = err;
                file->count++;
                log_event(LOG_ERR,
                          file->has_good ? "ceilings are wrong: the last good ones stay"
                                         : "ceilings are wrong: nobody may make anything",
                          F_ERR(&err));
        }
}

int ceilings_file_new(Front *front, int dir_fd, CeilingsFile **ret, Error *err) {
        SCOPED(ceilings_file_free) CeilingsFile *file = calloc(1, sizeof *file);

        if (!file)
                return error_set(err, -ENOMEM, "read " CEILINGS_NAME);
        file->dir_fd = front->info.private_call ? -EBADF : dir_fd;
        look(file);
        *ret = TAKE_PTR(file);
        return 0;
}

int ceilings_file_now(CeilingsFile *file, const Ceilings **ret, Error *err) {
        look(file);
        if (!file->has_good)
                return error_say(err, -EINVAL,
                                 "%s: until the administrator mends it, nobody may "
                                 "make anything",
                                 file->wrong.text);
        *ret = file->good;
        return 0;
}

unsigned ceilings_file_count(const CeilingsFile *file) {
        return file->count;
}

/*
 * copy-receive: see copy-receive.h. A sink of copy-stream.h with a stack of the directories that are open: a name is
 * then one step below a directory that this code made itself, or that was there and is no link.
 *
 * Merged into a directory, each file is made under the temporary name where it belongs, and gets its own when it is
 * whole; what was there is replaced, a directory excepted, and a directory that was there is gone into.
 */
#include "base/copy-receive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy-dirs.h"
#include "base/copy-place.h"
#include "base/copy-stream.h"
#include "base/fds.h"
#include "base/owned.h"

typedef struct Level {
        int fd;    /* owned, of a directory; the first one is not */
        bool made; /* by this code: its mode is the stream's to say */
} Level;

typedef struct Receiver {
        const CopyReceive *how; /* borrowed */
        CopyStream *stream;     /* owned */
        CopyPlace place;
        Level levels[COPY_DEPTH_MAX + 2]; /* [0]: where it goes */
        unsigned depth;
        int file;                     /* owned; -EBADF: none is open */
        char name[COPY_NAME_MAX + 1]; /* of that file */
        CopyDirs dirs;                /* merging: those that were made */
} Receiver;

static int top(const Receiver *receiver) {
        return receiver->levels[receiver->depth].fd;
}

static int fail_at(const Receiver *receiver, const char *name, int code, Error *err) {
        char path[COPY_PATH_SHOWN_MAX];

        return error_set(err, code, "make %s",
                         receiver->depth == 0 ? receiver->place.name
                                              : copy_stream_path(receiver->stream, name, path));
}

/* Under which name an entry is made first */
static const char *first_name(const Receiver *receiver, const char *name) {
        return receiver->depth == 0 || receiver->how->merge ? receiver->place.temporary : name;
}

/* What was made under the temporary name of this directory gets its own, if it is not that of the whole copy */
static int settle(const Receiver *receiver, const char *name, Error *err) {
        const char *temporary = receiver->place.temporary;
        int dir = top(receiver), r;

        if (!receiver->how->merge)
                return 0;
        r = renameat(dir, temporary, dir, name) < 0 ? -errno : 0;
        (void) unlinkat(dir, temporary, 0); /* of two names of one file rename(2) leaves both */
        if (r == -EISDIR || r == -ENOTEMPTY || r == -EEXIST)
                return error_say(err, -EISDIR,
                                 "a directory %s is there already, and is not replaced", name);
        return r < 0 ? fail_at(receiver, name, r, err) : 0;
}

static void set_times(int dir, const char *name, const CopyRecord *record) {
        const struct timespec times[2] = {
                { .tv_nsec = UTIME_OMIT },
                { .tv_sec = record->mtime,
                  .tv_nsec = record->mtime_nsec < 1000000000u ? (long) record->mtime_nsec : 0 }
        };

        (void) (name ? utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) : futimens(dir, times));
}

/* ---- entries -------------------------------------------------------------------------------------- */

static int open_dir(int above, const char *name) {
        int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int take_dir(void *userdata, const char *name, const CopyRecord *record, Error *err) {
        Receiver *receiver = userdata;
        Level *level = &receiver->levels[receiver->depth + 1];
        const char *made = receiver->depth == 0 ? receiver->place.temporary : name;
        int above = top(receiver);

        (void) record; /* its end says what it is like */
        if (receiver->depth == 0 && receiver->how->merge)
                *level = (Level){ .fd = fcntl(above, F_DUPFD_CLOEXEC, 3) };
        else if (mkdirat(above, made, 0700) == 0)
                *level = (Level){ .fd = open_dir(above, made), .made = true };
        else
                *level = (Level){ .fd = errno == EEXIST && receiver->how->merge
                                                ? open_dir(above, made)
                                                : -errno };
        if (level->fd < 0)
                return fail_at(receiver, name, level->fd == -ELOOP ? -ENOTDIR : level->fd, err);
        receiver->depth++;
        return 0;
}

static int take_file(void *userdata, const char *name, const CopyRecord *record, Error *err) {
        Receiver *receiver = userdata;

        (void) record;
        memcpy(receiver->name, name, strlen(name) + 1);
        receiver->file = openat(top(receiver), first_name(receiver, name),
                                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        return receiver->file < 0 ? fail_at(receiver, name, -errno, err) : 0;
}

static int take_link(void *userdata, const char *name, const char *target, const CopyRecord *record,
                     Error *err) {
        Receiver *receiver = userdata;
        const char *made = first_name(receiver, name);

        if (symlinkat(target, top(receiver), made) < 0)
                return fail_at(receiver, name, -errno, err);
        set_times(top(receiver), made, record);
        return receiver->depth == 0 ? 0 : settle(receiver, name, err);
}

/* Merging: the directory of @path below the place, no link on the way, and its last name. Returns: owned, or negative errno */
static int open_above(const Receiver *receiver, char *path, char **ret_name) {
        int dir = fcntl(receiver->place.dir, F_DUPFD_CLOEXEC, 3), next;
        char *name = path, *slash;

        for (; dir >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
                *slash = 0;
                next = copy_name_is_valid(name, strlen(name)) ? open_dir(dir, name) : -EINVAL;
                (void) close(dir);
                dir = next;
        }
        if (dir >= 0 && !copy_name_is_valid(name, strlen(name))) {
                (void) close(dir);
                return -EINVAL;
        }
        *ret_name = name;
        return dir;
}

static int take_same(void *userdata, const char *name, char *path, Error *err) {
        Receiver *receiver = userdata;
        char *first = NULL;
        autoclose int dir = open_above(receiver, path, &first);
        int r = dir < 0 ? dir : 0;

        if (r == 0 && linkat(dir, first, top(receiver), receiver->place.temporary, 0) < 0)
                r = -errno;
        return r < 0 ? fail_at(receiver, name, r, err) : settle(receiver, name, err);
}

static int take_data(void *userdata, uint64_t at, const void *bytes, size_t n, Error *err) {
        const Receiver *receiver = userdata;
        int r = lseek(receiver->file, (off_t) at, SEEK_SET) < 0
                        ? -errno
                        : fd_write_all(receiver->file, bytes, n);

        return r < 0 ? fail_at(receiver, receiver->name, r, err) : 0;
}

static mode_t mode_of(const Receiver *receiver, uint32_t mode) {
        return mode & 0777 & ~receiver->how->umask;
}

static int end_file(void *userdata, const CopyRecord *end, Error *err) {
        Receiver *receiver = userdata;
        autoclose int file = TAKE_FD(receiver->file);

        if (end->code < 0) {
                (void) unlinkat(top(receiver), first_name(receiver, receiver->name), 0);
                return 0;
        }
        if (ftruncate(file, (off_t) end->at) < 0 || fchmod(file, mode_of(receiver, end->mode)) < 0)
                return fail_at(receiver, receiver->name, -errno, err);
        set_times(file, NULL, end);
        return receiver->depth == 0 ? 0 : settle(receiver, receiver->name, err);
}

/* Of a merged directory, when it is left. Returns: whether what it is like waits for the end of all */
static bool keep(Receiver *receiver, const Level *level, const CopyRecord *end) {
        char path[COPY_PATH_SHOWN_MAX];
        size_t n = strlen(copy_stream_path(receiver->stream, "", path));
        MadeDir *made = NULL;
        struct stat st;

        if (n < 2 || n >= sizeof(path) - 1 || fstat(level->fd, &st) < 0)
                return false;
        path[n - 1] = 0; /* its last slash */
        made = level->made ? copy_dirs_add(&receiver->dirs, &st, path, receiver->depth)
                           : copy_dirs_find(&receiver->dirs, &st);
        if (made && (level->made || end->kind == COPY_END))
                made->end = *end;
        return made;
}

/* One of which nothing was said is as mkdir(1) makes it */
static int apply(const Receiver *receiver, int dir, const CopyRecord *end) {
        bool is_told = end->kind == COPY_END;

        if (fchmod(dir, mode_of(receiver, is_told ? end->mode : 0777)) < 0)
                return -errno;
        if (is_told)
                set_times(dir, NULL, end);
        return 0;
}

/* One that somebody has put elsewhere since, or another one in its place, stays as it is */
static int apply_made(void *userdata, MadeDir *made, Error *err) {
        const Receiver *receiver = userdata;
        char *name = NULL;
        autoclose int above = open_above(receiver, made->path, &name);
        autoclose int dir = above < 0 ? above : open_dir(above, name);
        struct stat st;
        int r;

        if (dir < 0 || fstat(dir, &st) < 0 || st.st_dev != made->dev || st.st_ino != made->ino)
                return 0;
        r = apply(receiver, dir, &made->end);
        return r < 0 ? error_set(err, r, "make %s", name) : 0;
}

static int end_dir(void *userdata, const CopyRecord *end, Error *err) {
        Receiver *receiver = userdata;
        Level *level = &receiver->levels[receiver->depth];
        bool is_kept = receiver->how->merge && keep(receiver, level, end);
        int r = level->made && !is_kept ? apply(receiver, level->fd, end) : 0;

        if (r < 0)
                return fail_at(receiver, "", r, err);
        fds_close(&level->fd, 1);
        receiver->depth--;
        return 0;
}

/* ---- all of it ------------------------------------------------------------------------------------ */

static const CopySink whole = { .dir = take_dir,
                                .file = take_file,
                                .link = take_link,
                                .data = take_data,
                                .end_file = end_file,
                                .end_dir = end_dir };

static const CopySink merged = { .dir = take_dir,
                                 .file = take_file,
                                 .link = take_link,
                                 .same = take_same,
                                 .data = take_data,
                                 .end_file = end_file,
                                 .end_dir = end_dir };

/* What is half there goes; of a copy as a whole copy_place_deinit() sees to that */
static void deinit(Receiver *receiver) {
        fds_close(&receiver->file, 1);
        if (receiver->how->merge && receiver->depth > 0)
                (void) unlinkat(top(receiver), receiver->place.temporary, 0);
        for (; receiver->depth > 0; receiver->depth--)
                fds_close(&receiver->levels[receiver->depth].fd, 1);
        (void) copy_stream_free(receiver->stream);
        copy_dirs_deinit(&receiver->dirs);
}

static int receive(Receiver *receiver, Error *err) {
        const CopyReceive *how = receiver->how;
        int r = how->merge ? copy_place_enter(&receiver->place, how->place, err)
                           : copy_place_open(&receiver->place, how->place, how->name, err);

        if (r < 0)
                return r;
        receiver->levels[0].fd = receiver->place.dir;
        return copy_stream_read(receiver->stream, err);
}

int copy_receive(const CopyReceive *how, uint64_t *ret_skipped, Error *err) {
        autofree Receiver *receiver = calloc(1, sizeof(Receiver));
        const CopyRead read = { .from = how->from,
                                .max_bytes = how->max_bytes,
                                .sink = how->merge ? &merged : &whole,
                                .sink_userdata = receiver,
                                .skipped = how->skipped,
                                .userdata = how->userdata };
        int r, ended;

        if (!receiver)
                return error_set(err, -ENOMEM, "take a copy");
        receiver->how = how;
        receiver->file = receiver->place.dir = -EBADF;
        r = copy_stream_new(&read, &receiver->stream, err);
        if (r < 0)
                return r;
        r = receive(receiver, err);
        *ret_skipped = copy_stream_skipped(receiver->stream);
        ended = copy_dirs_apply(&receiver->dirs, apply_made, receiver, r < 0 ? NULL : err);
        r = r < 0 ? r : ended;
        deinit(receiver);
        if (r == 0 && !how->merge)
                r = copy_place_fill(&receiver->place, err);
        copy_place_deinit(&receiver->place);
        return r;
}

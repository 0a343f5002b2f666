/*
 * copy-receive: see copy-receive.h. One record after the other, with a stack of the directories that are open.
 * A name is checked when it is read, and is then one step below a directory that this code made itself.
 */
#include "base/copy-receive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy-place.h"
#include "base/fds.h"
#include "base/owned.h"

#define PATH_SHOWN_MAX 4096
#define CODE_MAX       4095 /* of the kernel: no larger errno */

typedef struct Level {
        int fd; /* owned, of a directory; the first one is not */
        char name[COPY_NAME_MAX + 1];
} Level;

typedef struct Receiver {
        const CopyReceive *how; /* borrowed */
        CopyPlace place;
        Level levels[COPY_DEPTH_MAX + 2]; /* [0]: where it goes */
        unsigned depth;
        int file; /* owned; -EBADF: none is open */
        char file_name[COPY_NAME_MAX + 1];
        uint64_t file_end; /* where its next bytes may begin */
        uint64_t bytes, entries, skipped;
        bool complete; /* the entry that the stream is about has ended */
        char *chunk;   /* owned: COPY_CHUNK_MAX */
        Error *err;
} Receiver;

static int corrupt(const Receiver *receiver, const char *what) {
        return error_say(receiver->err, -EBADMSG, "the copy is no such stream: %s", what);
}

static int read_all(const Receiver *receiver, void *bytes, size_t n) {
        char *at = bytes;

        while (n > 0) {
                ssize_t got = read(receiver->how->from, at, n);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return error_set(receiver->err, -errno, "read what is copied");
                if (got == 0)
                        return error_say(receiver->err, -ECONNABORTED,
                                         "the copy ended before it was whole");
                at += got;
                n -= (size_t) got;
        }
        return 0;
}

/* ---- names ---------------------------------------------------------------------------------------- */

/* What is at @name below the levels, for people */
static const char *shown(const Receiver *receiver, const char *name, char path[PATH_SHOWN_MAX]) {
        size_t n = 0;

        path[0] = 0;
        for (unsigned i = 2; i <= receiver->depth && n < PATH_SHOWN_MAX; i++)
                n += (size_t) snprintf(path + n, PATH_SHOWN_MAX - n, "%s/",
                                       receiver->levels[i].name);
        if (n < PATH_SHOWN_MAX)
                (void) snprintf(path + n, PATH_SHOWN_MAX - n, "%s", name);
        return path;
}

static void note_skipped(Receiver *receiver, const char *name, int code) {
        char path[PATH_SHOWN_MAX];

        receiver->skipped++;
        if (receiver->how->skipped)
                receiver->how->skipped(shown(receiver, name, path), code, receiver->how->userdata);
}

static int fail_at(const Receiver *receiver, const char *name, int code) {
        char path[PATH_SHOWN_MAX];

        return error_set(receiver->err, code, "make %s",
                         receiver->depth == 0 ? receiver->place.name : shown(receiver, name, path));
}

/* The name of an entry: that of the stream, or for the first one ours. */
static int take_name(Receiver *receiver, const CopyRecord *record, char name[COPY_NAME_MAX + 1]) {
        int r;

        if (receiver->file >= 0 || receiver->complete)
                return corrupt(receiver, "an entry where none can be");
        if (++receiver->entries > COPY_ENTRIES_MAX)
                return error_say(receiver->err, -E2BIG,
                                 "there are more than %llu files and directories in it",
                                 COPY_ENTRIES_MAX);
        if (record->name > COPY_NAME_MAX || (record->name == 0) != (receiver->depth == 0))
                return corrupt(receiver, "a name of a wrong length");
        r = read_all(receiver, name, record->name);
        if (r < 0)
                return r;
        name[record->name] = 0;
        if (receiver->depth == 0)
                memcpy(name, receiver->place.temporary, sizeof(receiver->place.temporary));
        else if (!copy_name_is_valid(name, record->name))
                return corrupt(receiver, "a name that is none");
        return 0;
}

/* ---- entries -------------------------------------------------------------------------------------- */

static void set_times(int dir, const char *name, const CopyRecord *record) {
        const struct timespec times[2] = {
                { .tv_nsec = UTIME_OMIT },
                { .tv_sec = record->mtime,
                  .tv_nsec = record->mtime_nsec < 1000000000u ? (long) record->mtime_nsec : 0 }
        };

        (void) (name ? utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) : futimens(dir, times));
}

static int take_dir(Receiver *receiver, const CopyRecord *record) {
        Level *above = &receiver->levels[receiver->depth], *level = above + 1;
        int r;

        if (receiver->depth > COPY_DEPTH_MAX)
                return corrupt(receiver, "directories that lie too deep");
        r = take_name(receiver, record, level->name);
        if (r < 0)
                return r;
        if (mkdirat(above->fd, level->name, 0700) < 0)
                return fail_at(receiver, level->name, -errno);
        level->fd = openat(above->fd, level->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (level->fd < 0)
                return fail_at(receiver, level->name, -errno);
        receiver->depth++;
        return 0;
}

static int take_file(Receiver *receiver, const CopyRecord *record) {
        int r = take_name(receiver, record, receiver->file_name);

        if (r < 0)
                return r;
        receiver->file = openat(receiver->levels[receiver->depth].fd, receiver->file_name,
                                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (receiver->file < 0)
                return fail_at(receiver, receiver->file_name, -errno);
        receiver->file_end = 0;
        return 0;
}

static int take_link(Receiver *receiver, const CopyRecord *record) {
        char name[COPY_NAME_MAX + 1], target[COPY_TARGET_MAX + 1];
        int dir = receiver->levels[receiver->depth].fd;
        int r = take_name(receiver, record, name);

        if (r == 0 && (record->bytes == 0 || record->bytes > COPY_TARGET_MAX))
                return corrupt(receiver, "a link of a wrong length");
        if (r == 0)
                r = read_all(receiver, target, record->bytes);
        if (r < 0)
                return r;
        if (memchr(target, 0, record->bytes))
                return corrupt(receiver, "a link that is none");
        target[record->bytes] = 0;
        if (symlinkat(target, dir, name) < 0)
                return fail_at(receiver, name, -errno);
        set_times(dir, name, record);
        receiver->complete = receiver->depth == 0;
        return 0;
}

static int take_data(Receiver *receiver, const CopyRecord *record) {
        int r;

        if (receiver->file < 0 || record->bytes > COPY_CHUNK_MAX ||
            record->at < receiver->file_end || record->at > INT64_MAX - COPY_CHUNK_MAX)
                return corrupt(receiver, "content where none can be");
        receiver->bytes += record->bytes;
        if (receiver->bytes > receiver->how->max_bytes)
                return error_say(receiver->err, -EFBIG,
                                 "there are more than %" PRIu64 " bytes in it",
                                 receiver->how->max_bytes);
        r = read_all(receiver, receiver->chunk, record->bytes);
        if (r < 0)
                return r;
        if (lseek(receiver->file, (off_t) record->at, SEEK_SET) < 0)
                r = -errno;
        else
                r = fd_write_all(receiver->file, receiver->chunk, record->bytes);
        receiver->file_end = record->at + record->bytes;
        return r < 0 ? fail_at(receiver, receiver->file_name, r) : 0;
}

static mode_t mode_of(const Receiver *receiver, const CopyRecord *record) {
        return record->mode & 0777 & ~receiver->how->umask;
}

static int end_file(Receiver *receiver, const CopyRecord *record) {
        autoclose int file = TAKE_FD(receiver->file);

        if (record->at < receiver->file_end || record->at > INT64_MAX || record->code < -CODE_MAX)
                return corrupt(receiver, "a file of a wrong size");
        receiver->complete = receiver->depth == 0;
        if (record->code < 0) {
                note_skipped(receiver, receiver->file_name, record->code);
                if (receiver->complete)
                        return error_set(receiver->err, record->code, "read it to its end");
                (void) unlinkat(receiver->levels[receiver->depth].fd, receiver->file_name, 0);
                return 0;
        }
        if (ftruncate(file, (off_t) record->at) < 0 || fchmod(file, mode_of(receiver, record)) < 0)
                return fail_at(receiver, receiver->file_name, -errno);
        set_times(file, NULL, record);
        return 0;
}

static int take_end(Receiver *receiver, const CopyRecord *record) {
        Level *level = &receiver->levels[receiver->depth];

        if (receiver->file >= 0)
                return end_file(receiver, record);
        if (receiver->depth == 0)
                return corrupt(receiver, "an end of nothing");
        if (fchmod(level->fd, mode_of(receiver, record)) < 0)
                return fail_at(receiver, level->name, -errno);
        set_times(level->fd, NULL, record);
        fds_close(&level->fd, 1);
        receiver->complete = --receiver->depth == 0;
        return 0;
}

static int take_skipped(Receiver *receiver, const CopyRecord *record) {
        char name[COPY_NAME_MAX + 1];
        int r;

        if (receiver->depth == 0 || record->code >= 0 || record->code < -CODE_MAX)
                return corrupt(receiver, "something left out where nothing can be");
        r = take_name(receiver, record, name);
        if (r == 0)
                note_skipped(receiver, name, record->code);
        return r;
}

/* ---- all of it ------------------------------------------------------------------------------------ */

static int (*const takers[_COPY_KIND_MAX])(Receiver *receiver, const CopyRecord *record) = {
        [COPY_DIR] = take_dir,   [COPY_FILE] = take_file, [COPY_LINK] = take_link,
        [COPY_DATA] = take_data, [COPY_END] = take_end,   [COPY_SKIPPED] = take_skipped,
};

static int take_all(Receiver *receiver) {
        CopyRecord record;

        for (;;) {
                int r = read_all(receiver, &record, sizeof(record));

                if (r == 0 && record.kind == COPY_DONE)
                        return receiver->complete ? 0 : corrupt(receiver, "it ends too early");
                if (r == 0 && (record.kind >= _COPY_KIND_MAX || !takers[record.kind]))
                        return corrupt(receiver, "a record that nobody knows");
                if (r == 0)
                        r = takers[record.kind](receiver, &record);
                if (r < 0)
                        return r;
        }
}

static void deinit(Receiver *receiver) {
        fds_close(&receiver->file, 1);
        for (; receiver->depth > 0; receiver->depth--)
                fds_close(&receiver->levels[receiver->depth].fd, 1);
        free(receiver->chunk);
}

int copy_receive(const CopyReceive *how, uint64_t *ret_skipped, Error *err) {
        autofree Receiver *receiver = calloc(1, sizeof(Receiver));
        int r;

        if (!receiver)
                return error_set(err, -ENOMEM, "take a copy");
        receiver->how = how;
        receiver->err = err;
        receiver->file = receiver->place.dir = -EBADF;
        receiver->chunk = malloc(COPY_CHUNK_MAX);
        if (!receiver->chunk)
                return error_set(err, -ENOMEM, "take a copy");
        r = copy_place_open(&receiver->place, how->place, how->name, err);
        if (r == 0) {
                receiver->levels[0].fd = receiver->place.dir;
                r = take_all(receiver);
        }
        deinit(receiver);
        if (r == 0)
                r = copy_place_fill(&receiver->place, err);
        copy_place_deinit(&receiver->place);
        *ret_skipped = receiver->skipped;
        return r;
}

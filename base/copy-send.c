/*
 * copy-send: see copy-send.h.
 */
#include "base/copy-send.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fds.h"
#include "base/owned.h"
#include "base/spans.h"

#define OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

typedef struct Sender {
        int to;
        uint64_t entries;
        char *chunk; /* owned: COPY_CHUNK_MAX */
        CopySkippedFn skipped;
        void *userdata;
        Error *err;
} Sender;

static int send_entry(Sender *sender, int dir, const char *name, unsigned depth);

int copy_emit(int to, CopyRecord *record, const char *name, const void *bytes, Error *err) {
        struct {
                CopyRecord record;
                char name[COPY_NAME_MAX];
        } head;
        int r;

        record->name = name ? (uint32_t) strlen(name) : 0;
        if (record->name > COPY_NAME_MAX)
                return error_say(err, -ENAMETOOLONG, "a name is longer than %u bytes",
                                 COPY_NAME_MAX);
        head.record = *record;
        if (name)
                memcpy(head.name, name, record->name);
        r = fd_write_all(to, &head, sizeof(head.record) + record->name);
        if (r == 0 && record->bytes > 0)
                r = fd_write_all(to, bytes, record->bytes);
        return r < 0 ? error_set(err, r, "pass on what is copied") : 0;
}

static int emit(Sender *sender, CopyRecord *record, const char *name, const void *bytes) {
        return copy_emit(sender->to, record, name, bytes, sender->err);
}

static int skip(Sender *sender, const char *name, unsigned depth, int code) {
        CopyRecord record = { .kind = COPY_SKIPPED, .code = code };

        if (depth == 0)
                return error_set(sender->err, code, "copy %s", name);
        if (sender->skipped)
                sender->skipped(name, code, sender->userdata);
        return emit(sender, &record, name, NULL);
}

static CopyRecord record_of(CopyKind kind, const struct stat *st, uint64_t at) {
        return (CopyRecord){ .kind = kind,
                             .mode = st->st_mode & 0777,
                             .at = at,
                             .mtime = st->st_mtim.tv_sec,
                             .mtime_nsec = (uint32_t) st->st_mtim.tv_nsec };
}

static int emit_end(Sender *sender, const struct stat *st, uint64_t size, int code) {
        CopyRecord end = record_of(COPY_END, st, size);

        end.code = code;
        return emit(sender, &end, NULL, NULL);
}

/* ---- a file ---------------------------------------------------------------------------------------- */

/* Sends [at, end) as far as the file still goes. Returns: 0, or negative errno; *at: how far it came */
static int send_span(Sender *sender, int fd, Span *span, int *ret_code) {
        while (span->at < span->end) {
                uint64_t left = span->end - span->at;
                ssize_t n = pread(fd, sender->chunk, left < COPY_CHUNK_MAX ? left : COPY_CHUNK_MAX,
                                  (off_t) span->at);
                CopyRecord record = { .kind = COPY_DATA, .at = span->at };
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0) {
                        *ret_code = n < 0 ? -errno : 0;
                        return 0;
                }
                record.bytes = (uint32_t) n;
                r = emit(sender, &record, NULL, sender->chunk);
                if (r < 0)
                        return r;
                span->at += (uint64_t) n;
        }
        return 0;
}

/* Returns: 0 or negative errno; @ret_size: less than the file had where it became shorter meanwhile */
static int send_content(Sender *sender, int fd, uint64_t size, uint64_t *ret_size, int *ret_code) {
        Span span = { 0, 0 };
        uint64_t at = 0;

        *ret_size = size;
        *ret_code = 0;
        while (at < size && span_next(fd, at, size, &span)) {
                uint64_t end = span.end;
                int r = send_span(sender, fd, &span, ret_code);

                if (r < 0)
                        return r;
                if (span.at < end) {
                        *ret_size = span.at;
                        return 0;
                }
                at = end;
        }
        return 0;
}

/* Files there are no data: reading them may wait, or have effects */
static bool is_of_kernel(int fd) {
        static const unsigned long kinds[] = { PROC_SUPER_MAGIC,   SYSFS_MAGIC,
                                               CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
                                               DEBUGFS_MAGIC,      TRACEFS_MAGIC,
                                               SECURITYFS_MAGIC,   DEVPTS_SUPER_MAGIC,
                                               BPF_FS_MAGIC };
        struct statfs fs;

        if (fstatfs(fd, &fs) < 0)
                return true;
        for (size_t i = 0; i < ELEMENTS(kinds); i++)
                if ((unsigned long) fs.f_type == kinds[i])
                        return true;
        return false;
}

static int send_file(Sender *sender, int dir, const char *name, unsigned depth) {
        autoclose int fd = openat(dir, name, OPEN_FLAGS);
        CopyRecord record;
        struct stat st;
        uint64_t size = 0;
        int r, code = 0;

        if (fd < 0)
                return skip(sender, name, depth, -errno);
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) /* exchanged since it was looked at */
                return skip(sender, name, depth, -ESTALE);
        if (depth == 0 && is_of_kernel(fd))
                return skip(sender, name, depth, -ENOTSUP);
        record = record_of(COPY_FILE, &st, (uint64_t) st.st_size);
        r = emit(sender, &record, depth > 0 ? name : NULL, NULL);
        if (r == 0)
                r = send_content(sender, fd, (uint64_t) st.st_size, &size, &code);
        if (r == 0 && code < 0 && sender->skipped)
                sender->skipped(name, code, sender->userdata);
        return r < 0 ? r : emit_end(sender, &st, size, code);
}

/* ---- a link, a directory -------------------------------------------------------------------------- */

static int send_link(Sender *sender, int dir, const char *name, const struct stat *st,
                     unsigned depth) {
        CopyRecord record = record_of(COPY_LINK, st, 0);
        char target[COPY_TARGET_MAX + 1];
        ssize_t n = readlinkat(dir, name, target, sizeof(target));

        if (n <= 0 || n > (ssize_t) COPY_TARGET_MAX)
                return skip(sender, name, depth, n < 0 ? -errno : -ENAMETOOLONG);
        record.bytes = (uint32_t) n;
        return emit(sender, &record, depth > 0 ? name : NULL, target);
}

static int send_entries(Sender *sender, int fd, unsigned depth) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3), r = 0, got = 0;
        DIR *list = copy < 0 ? NULL : fdopendir(copy);
        const struct dirent *entry;

        if (!list) {
                r = error_set(sender->err, -errno, "list a directory");
                if (copy >= 0)
                        (void) close(copy);
                return r;
        }
        while (r == 0 && (got = dir_next(list, &entry)) > 0)
                r = send_entry(sender, fd, entry->d_name, depth + 1);
        (void) closedir(list);
        return r == 0 && got < 0 ? error_set(sender->err, got, "list a directory") : r;
}

static int send_dir(Sender *sender, int dir, const char *name, unsigned depth) {
        autoclose int fd = openat(dir, name, OPEN_FLAGS | O_DIRECTORY);
        CopyRecord record;
        struct stat st;
        int r;

        if (fd < 0)
                return skip(sender, name, depth, -errno);
        if (fstat(fd, &st) < 0)
                return skip(sender, name, depth, -errno);
        if (depth >= COPY_DEPTH_MAX)
                return skip(sender, name, depth, -ELOOP);
        if (is_of_kernel(fd))
                return skip(sender, name, depth, -ENOTSUP);
        record = record_of(COPY_DIR, &st, 0);
        r = emit(sender, &record, depth > 0 ? name : NULL, NULL);
        if (r == 0)
                r = send_entries(sender, fd, depth);
        return r < 0 ? r : emit_end(sender, &st, 0, 0);
}

static int send_entry(Sender *sender, int dir, const char *name, unsigned depth) {
        struct stat st;

        if (++sender->entries > COPY_ENTRIES_MAX)
                return error_say(sender->err, -E2BIG,
                                 "there are more than %llu files and directories: copy parts of it",
                                 COPY_ENTRIES_MAX);
        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return skip(sender, name, depth, -errno);
        if (S_ISREG(st.st_mode))
                return send_file(sender, dir, name, depth);
        if (S_ISDIR(st.st_mode))
                return send_dir(sender, dir, name, depth);
        if (S_ISLNK(st.st_mode))
                return send_link(sender, dir, name, &st, depth);
        return skip(sender, name, depth, -ENOTSUP);
}

int copy_send(int to, const char *path, CopySkippedFn skipped, void *userdata, Error *err) {
        autofree char *chunk = malloc(COPY_CHUNK_MAX);
        Sender sender = {
                .to = to, .chunk = chunk, .skipped = skipped, .userdata = userdata, .err = err
        };
        CopyRecord done = { .kind = COPY_DONE };
        int r;

        if (!chunk)
                return error_set(err, -ENOMEM, "copy %s", path);
        r = send_entry(&sender, AT_FDCWD, path, 0);
        return r < 0 ? r : emit(&sender, &done, NULL, NULL);
}

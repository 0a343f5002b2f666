/*
 * pack: the writer of workspace archives. It runs in the child that has the user's rights. A file is
 * opened beneath the workspace without following any link (openat2), so that a tracked name whose
 * directory has become a link to elsewhere brings nothing from there.
 */
#include "cli/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "cli/archive-library.h"

#define JAIL_USER   1000 /* the jail's user: it owns /work */
#define CHUNK_BYTES (128 * 1024)
#define LFS_MARK    "version https://git-lfs.github.com/spec/"

struct Pack {
        struct archive *archive;     /* owned */
        struct archive_entry *entry; /* owned, reused */
        char last_dir[PATH_MAX];     /* the directory whose entries were added last */
        PackTotals totals;
        char chunk[CHUNK_BYTES];
};

bool pack_is_lfs(const void *bytes, size_t n) {
        return n >= strlen(LFS_MARK) && memcmp(bytes, LFS_MARK, strlen(LFS_MARK)) == 0;
}

static int failed(const Pack *pack, const char *name, Error *err) {
        const char *why = archive_error_string(pack->archive);

        return error_say(err, -EIO, "pack %s: %s", name, why ? why : "the archive failed");
}

Pack *pack_free(Pack *pack) {
        if (!pack)
                return NULL;
        archive_entry_free(pack->entry);
        (void) archive_write_free(pack->archive);
        free(pack);
        return NULL;
}

int pack_new(int fd, Pack **ret, Error *err) {
        int r = archive_library_load(err);
        SCOPED(pack_free) Pack *pack = r < 0 ? NULL : calloc(1, sizeof(*pack));

        if (r < 0)
                return r;
        if (!pack)
                return error_set(err, -ENOMEM, "begin the archive of the workspace");
        pack->archive = archive_write_new();
        pack->entry = archive_entry_new();
        if (!pack->archive || !pack->entry)
                return error_set(err, -ENOMEM, "begin the archive of the workspace");
        if (archive_write_set_format_pax_restricted(pack->archive) != ARCHIVE_OK ||
            archive_write_open_fd(pack->archive, fd) != ARCHIVE_OK)
                return failed(pack, "the workspace", err);
        *ret = TAKE_PTR(pack);
        return 0;
}

static void begin_entry(Pack *pack, const char *name, mode_t mode, struct timespec mtime) {
        archive_entry_clear(pack->entry);
        archive_entry_set_pathname(pack->entry, name);
        archive_entry_set_mode(pack->entry, mode);
        archive_entry_set_uid(pack->entry, JAIL_USER);
        archive_entry_set_gid(pack->entry, JAIL_USER);
        archive_entry_set_mtime(pack->entry, mtime.tv_sec, mtime.tv_nsec);
}

static int write_header(Pack *pack, const char *name, Error *err) {
        /* ARCHIVE_WARN: a name that is no UTF-8 was written as bytes, which is what we want */
        return archive_write_header(pack->archive, pack->entry) < ARCHIVE_WARN
                       ? failed(pack, name, err)
                       : 0;
}

/*
 * Directories have entries of their own, so that they belong to the jail's user as well. Names come
 * sorted by git, so remembering the last directory keeps nearly all repetitions out; the few that
 * remain do no harm.
 */
static int add_parents(Pack *pack, const char *name, struct timespec mtime, Error *err) {
        const char *slash = strrchr(name, '/');
        size_t n = slash ? (size_t) (slash - name) : 0;
        size_t shared = 0;
        char dir[PATH_MAX];
        int r;

        if (n == 0 || n >= sizeof(dir))
                return 0;
        memcpy(dir, name, n);
        dir[n] = 0;
        for (size_t i = 0; i <= n; i++)
                if ((i == n || name[i] == '/') && strncmp(pack->last_dir, name, i) == 0 &&
                    (pack->last_dir[i] == 0 || pack->last_dir[i] == '/'))
                        shared = i;
        for (size_t i = shared + 1; i <= n; i++) {
                if (dir[i] && dir[i] != '/')
                        continue;
                dir[i] = 0;
                begin_entry(pack, dir, S_IFDIR | 0755, mtime);
                r = write_header(pack, dir, err);
                if (r < 0)
                        return r;
                dir[i] = i < n ? '/' : 0;
        }
        memcpy(pack->last_dir, dir, n + 1);
        return 0;
}

static int refuse_lfs(const char *name, Error *err) {
        return error_say(err, -ENOTSUP,
                         "%s is a pointer of git's large file storage, not the file itself. Fetch "
                         "the files with 'git lfs pull' first.",
                         name);
}

static int write_data(Pack *pack, const void *bytes, size_t n, const char *name, Error *err) {
        if (n > 0 && archive_write_data(pack->archive, bytes, n) < 0)
                return failed(pack, name, err);
        pack->totals.bytes += n;
        return 0;
}

/* A file that grows while it is read is cut at the size that its entry says; one that shrinks is padded */
static int copy_file(Pack *pack, int fd, uint64_t size, const char *name, Error *err) {
        uint64_t left = size;

        while (left > 0) {
                size_t want = left < CHUNK_BYTES ? (size_t) left : CHUNK_BYTES;
                ssize_t n = read(fd, pack->chunk, want);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set(err, -errno, "read %s", name);
                if (n == 0)
                        return 0;
                if (left == size && pack_is_lfs(pack->chunk, (size_t) n))
                        return refuse_lfs(name, err);
                r = write_data(pack, pack->chunk, (size_t) n, name, err);
                if (r < 0)
                        return r;
                left -= (uint64_t) n;
        }
        return 0;
}

static int pack_file(Pack *pack, int fd, const char *name, Error *err) {
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return error_set(err, -errno, "look at %s", name);
        r = add_parents(pack, name, st.st_mtim, err);
        if (r < 0)
                return r;
        begin_entry(pack, name, S_IFREG | (st.st_mode & 0100 ? 0755 : 0644), st.st_mtim);
        archive_entry_set_size(pack->entry, st.st_size);
        r = write_header(pack, name, err);
        if (r < 0)
                return r;
        pack->totals.files++;
        return copy_file(pack, fd, (uint64_t) st.st_size, name, err);
}

static int open_beneath(int dir, const char *path, int flags) {
        struct open_how how = { .flags = (uint64_t) (flags | O_CLOEXEC),
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

        return (int) syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static int pack_link(Pack *pack, int fd, const char *name, Error *err) {
        char target[PATH_MAX];
        struct stat st;
        ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
        int r;

        if (n < 0 || fstat(fd, &st) < 0)
                return error_set(err, -errno, "read the link %s", name);
        target[n] = 0;
        r = add_parents(pack, name, st.st_mtim, err);
        if (r < 0)
                return r;
        begin_entry(pack, name, S_IFLNK | 0777, st.st_mtim);
        archive_entry_set_symlink(pack->entry, target);
        pack->totals.files++;
        return write_header(pack, name, err);
}

static int pack_dir(Pack *pack, const char *name, struct timespec mtime, Error *err) {
        int r = add_parents(pack, name, mtime, err);

        if (r < 0)
                return r;
        begin_entry(pack, name, S_IFDIR | 0755, mtime);
        return write_header(pack, name, err);
}

int pack_path(Pack *pack, int dir, const char *path, const char *name, Error *err) {
        autoclose int found = open_beneath(dir, path, O_PATH | O_NOFOLLOW);
        autoclose int fd = -EBADF;
        struct stat st;

        /* ELOOP: a directory on the way has become a link; git calls the tracked file deleted */
        if (found < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
                return 0;
        if (found < 0 || fstat(found, &st) < 0)
                return error_set(err, -errno, "open %s", name);
        if (S_ISLNK(st.st_mode))
                return pack_link(pack, found, name, err);
        if (S_ISDIR(st.st_mode))
                return pack_dir(pack, name, st.st_mtim, err);
        if (!S_ISREG(st.st_mode)) {
                pack->totals.skipped++;
                return 0;
        }
        fd = open_beneath(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0)
                return error_set(err, -errno, "open %s", name);
        return pack_file(pack, fd, name, err);
}

int pack_bytes(Pack *pack, const PackBytes *entry, Error *err) {
        struct timespec mtime = { .tv_sec = entry->mtime };
        autofree char *target = NULL;
        int r;

        if (S_ISDIR(entry->mode))
                return pack_dir(pack, entry->name, mtime, err);
        if (S_ISREG(entry->mode) && pack_is_lfs(entry->bytes, entry->n))
                return refuse_lfs(entry->name, err);
        r = add_parents(pack, entry->name, mtime, err);
        if (r < 0)
                return r;
        begin_entry(pack, entry->name, S_ISLNK(entry->mode) ? S_IFLNK | 0777 : entry->mode, mtime);
        if (S_ISLNK(entry->mode)) {
                target = strndup(entry->bytes, entry->n);
                if (!target)
                        return error_set(err, -ENOMEM, "pack %s", entry->name);
                archive_entry_set_symlink(pack->entry, target);
        } else {
                archive_entry_set_size(pack->entry, (int64_t) entry->n);
        }
        r = write_header(pack, entry->name, err);
        if (r < 0)
                return r;
        pack->totals.files++;
        return S_ISLNK(entry->mode) ? 0
                                    : write_data(pack, entry->bytes, entry->n, entry->name, err);
}

int pack_end(Pack *pack, PackTotals *ret_totals, Error *err) {
        if (archive_write_close(pack->archive) != ARCHIVE_OK)
                return failed(pack, "the workspace", err);
        *ret_totals = pack->totals;
        return 0;
}

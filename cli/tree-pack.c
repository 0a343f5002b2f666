/*
 * tree-pack: see tree-pack.h. libarchive's own walk of a disk is not used: it stops at a file that may not be read in
 * the middle of the archive, and we want to leave such a file out and say so.
 */
#include "cli/tree-pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/spans.h"
#include "cli/archive-library.h"
#include "cli/left-out.h"

#define CHUNK_BYTES (256u << 10)
#define DEPTH_MAX   128
#define NAMES_BYTES 65536

typedef struct Inode { /* a file with several names, by the first of them */
        dev_t dev;
        ino_t ino;
        char *name; /* owned; NULL: the place is free */
} Inode;

struct TreePack {
        struct archive *archive;     /* owned, as the next */
        struct archive_entry *entry; /* reused */
        int root;
        dev_t dev; /* file system of the tree at hand */
        bool others_only;
        bool is_whole; /* it has its end mark */
        TreePackTotals totals;
        Inode *inodes; /* owned: open addressing, n_places is a power of two */
        size_t n_inodes, n_places;
        char path[PATH_MAX];     /* of what is packed, below the root */
        char names[NAMES_BYTES]; /* of attributes */
        char chunk[CHUNK_BYTES];
};

static int failed(const TreePack *pack, Error *err) {
        const char *why = archive_error_string(pack->archive);
        int code = archive_errno(pack->archive);

        return error_say(err, code > 0 ? -code : -EIO, "pack %.200s: %s", pack->path,
                         why ? why : "the archive failed");
}

TreePack *tree_pack_free(TreePack *pack) {
        if (!pack)
                return NULL;
        archive_entry_free(pack->entry);
        if (pack->archive &&
            !pack->is_whole) /* else its end is written now, and a part passes for all */
                (void) archive_write_fail(pack->archive);
        (void) archive_write_free(pack->archive);
        for (size_t i = 0; i < pack->n_places; i++)
                free(pack->inodes[i].name);
        free(pack->inodes);
        free(pack);
        return NULL;
}

int tree_pack_new(int fd, int root, bool others_only, TreePack **ret, Error *err) {
        int r = archive_library_load(err);
        SCOPED(tree_pack_free) TreePack *pack = r < 0 ? NULL : calloc(1, sizeof(*pack));

        if (r < 0)
                return r;
        if (!pack)
                return error_set(err, -ENOMEM, "begin an archive");
        pack->root = root;
        pack->others_only = others_only;
        pack->archive = archive_write_new();
        pack->entry = archive_entry_new();
        if (!pack->archive || !pack->entry)
                return error_set(err, -ENOMEM, "begin an archive");
        /* not "restricted", which leaves out the parts of a second where nothing else asks for a header */
        if (archive_write_set_format_pax(pack->archive) != ARCHIVE_OK ||
            archive_write_set_bytes_per_block(pack->archive, CHUNK_BYTES) != ARCHIVE_OK ||
            archive_write_set_bytes_in_last_block(pack->archive, 1) != ARCHIVE_OK ||
            archive_write_open_fd(pack->archive, fd) != ARCHIVE_OK)
                return failed(pack, err);
        *ret = TAKE_PTR(pack);
        return 0;
}

static int open_beneath(int dir, const char *path, int flags) {
        struct open_how how = { .flags = (unsigned) (flags | O_CLOEXEC | O_NOFOLLOW),
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
        int fd = (int) syscall(SYS_openat2, dir, path, &how, sizeof(how));

        return fd < 0 ? -errno : fd;
}

static void leave_out(TreePack *pack) {
        if (pack->others_only)
                pack->totals.left_out++;
        else
                left_out_add(&pack->totals.left_out, pack->path);
}

/* ---- files of several names ----------------------------------------------------------------------- */

static Inode *find_inode(const TreePack *pack, const struct stat *st) {
        size_t at = ((size_t) st->st_ino * 0x9e3779b97f4a7c15u) >> 20;
        Inode *inode;

        for (;; at++) {
                inode = &pack->inodes[at & (pack->n_places - 1)];
                if (!inode->name || (inode->ino == st->st_ino && inode->dev == st->st_dev))
                        return inode;
        }
}

static int grow(TreePack *pack) {
        size_t n = pack->n_places ? pack->n_places * 2 : 1024, old = pack->n_places;
        Inode *before = pack->inodes, *after = calloc(n, sizeof(*after));

        if (!after)
                return -ENOMEM;
        pack->inodes = after;
        pack->n_places = n;
        for (size_t i = 0; i < old; i++)
                if (before[i].name) {
                        const struct stat st = { .st_dev = before[i].dev, .st_ino = before[i].ino };

                        *find_inode(pack, &st) = before[i];
                }
        free(before);
        return 0;
}

/* Returns: the name under which it was packed, borrowed; NULL: this is its first, or there is no memory to know it by */
static const char *earlier_name(TreePack *pack, const struct stat *st) {
        Inode *inode;

        if (st->st_nlink < 2)
                return NULL;
        if (pack->n_inodes * 2 >= pack->n_places && grow(pack) < 0 && pack->n_places == 0)
                return NULL;
        inode = find_inode(pack, st);
        if (inode->name)
                return inode->name;
        if (pack->n_inodes + 1 < pack->n_places && (inode->name = strdup(pack->path))) {
                inode->dev = st->st_dev;
                inode->ino = st->st_ino;
                pack->n_inodes++;
        }
        return NULL;
}

/* ---- one entry ------------------------------------------------------------------------------------ */

static void begin_entry(TreePack *pack, const struct stat *st) {
        archive_entry_clear(pack->entry);
        archive_entry_set_pathname(pack->entry, pack->path);
        archive_entry_set_mode(pack->entry, st->st_mode);
        archive_entry_set_uid(pack->entry, st->st_uid);
        archive_entry_set_gid(pack->entry, st->st_gid);
        archive_entry_set_mtime(pack->entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

/* ARCHIVE_WARN: a name that is no UTF-8 was written as bytes, which is what we want */
static int write_header(TreePack *pack, Error *err) {
        if (archive_write_header(pack->archive, pack->entry) < ARCHIVE_WARN)
                return failed(pack, err);
        pack->totals.entries++;
        return 0;
}

/* Attributes that a layer can have; one that cannot be read is not there */
static void add_xattrs(TreePack *pack, int fd) {
        ssize_t n = flistxattr(fd, pack->names, sizeof(pack->names));

        for (const char *name = pack->names; n > 0 && name < pack->names + n;
             name += strlen(name) + 1) {
                ssize_t size = strncmp(name, "user.", 5) == 0
                                       ? fgetxattr(fd, name, pack->chunk, sizeof(pack->chunk))
                                       : -1;

                if (size >= 0)
                        archive_entry_xattr_add_entry(pack->entry, name, pack->chunk,
                                                      (size_t) size);
        }
}

/* Where data is, for a file that has holes; a list of nothing is for libarchive a file that has none */
static void add_holes(TreePack *pack, int fd, const struct stat *st) {
        uint64_t size = (uint64_t) st->st_size;
        Span span = { 0, 0 };
        bool more;

        if ((uint64_t) st->st_blocks * 512 >= size)
                return;
        more = span_next(fd, 0, size, &span);
        if (!more)
                archive_entry_sparse_add_entry(pack->entry, st->st_size, 0);
        for (; more; more = span_next(fd, span.end, size, &span))
                archive_entry_sparse_add_entry(pack->entry, (off_t) span.at,
                                               (off_t) (span.end - span.at));
        (void) lseek(fd, 0, SEEK_SET);
}

/* A file that grows is cut at the size that its entry says, one that shrinks is filled up with zeroes by the archive */
static int copy_content(TreePack *pack, int fd, uint64_t left, Error *err) {
        while (left > 0) {
                ssize_t n = read(fd, pack->chunk, left < CHUNK_BYTES ? (size_t) left : CHUNK_BYTES);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set(err, -errno, "read %s", pack->path);
                if (n == 0)
                        return 0;
                if (archive_write_data(pack->archive, pack->chunk, (size_t) n) < 0)
                        return failed(pack, err);
                left -= (uint64_t) n;
                pack->totals.bytes += (uint64_t) n;
        }
        return 0;
}

static int add_file(TreePack *pack, int dir, const char *leaf, const struct stat *seen,
                    Error *err) {
        const char *other;
        autoclose int fd = -EBADF;
        struct stat st;
        int r;

        if (pack->others_only && !(seen->st_mode & S_IROTH)) {
                leave_out(pack);
                return 0;
        }
        fd = openat(dir, leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 && (errno == EACCES || errno == EPERM))
                leave_out(pack);
        if (fd < 0)
                return errno == ENOENT || errno == EACCES || errno == EPERM || errno == ELOOP
                               ? 0
                               : error_set(err, -errno, "open %s", pack->path);
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;
        other = earlier_name(pack, &st);
        begin_entry(pack, &st);
        if (other) {
                archive_entry_set_hardlink(pack->entry, other);
                return write_header(pack, err);
        }
        archive_entry_set_size(pack->entry, st.st_size);
        add_xattrs(pack, fd);
        add_holes(pack, fd, &st);
        r = write_header(pack, err);
        return r < 0 ? r : copy_content(pack, fd, (uint64_t) st.st_size, err);
}

static int add_link(TreePack *pack, int dir, const char *leaf, const struct stat *st, Error *err) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(dir, leaf, target, sizeof(target) - 1);

        if (n < 0)
                return errno == ENOENT || errno == EINVAL
                               ? 0
                               : error_set(err, -errno, "read the link %s", pack->path);
        target[n] = 0;
        begin_entry(pack, st);
        archive_entry_set_symlink(pack->entry, target);
        return write_header(pack, err);
}

static int add_dir(TreePack *pack, int fd, const struct stat *st, Error *err) {
        begin_entry(pack, st);
        add_xattrs(pack, fd);
        return write_header(pack, err);
}

/* ---- the walk ------------------------------------------------------------------------------------- */

static int add_at(TreePack *pack, int dir, const char *leaf, int depth, Error *err);

static int add_item(TreePack *pack, int dir, const struct dirent *item, int depth, Error *err) {
        size_t n = strcmp(pack->path, ".") == 0 ? 0 : strlen(pack->path), more;
        char last = pack->path[0];
        int r;

        more = strlen(item->d_name);
        if (n + more + 2 > sizeof(pack->path))
                return error_say(err, -ENAMETOOLONG, "%.200s…: the path is too long.", pack->path);
        if (n > 0)
                pack->path[n++] = '/';
        memcpy(pack->path + n, item->d_name, more + 1);
        r = add_at(pack, dir, item->d_name, depth + 1, err);
        if (n > 0) {
                pack->path[n - 1] = 0;
        } else {
                pack->path[0] = last;
                pack->path[1] = 0;
        }
        return r;
}

static int add_items(TreePack *pack, int fd, int depth, Error *err) {
        int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        DIR *dir = own < 0 ? NULL : fdopendir(own);
        const struct dirent *item;
        int r = 0, got = 0;

        if (!dir) {
                r = error_set(err, -errno, "read %s", pack->path);
                if (own >= 0)
                        (void) close(own);
                return r;
        }
        if (depth >= DEPTH_MAX)
                r = error_say(err, -ELOOP, "%.200s: more than %d directories deep.", pack->path,
                              DEPTH_MAX);
        while (r == 0 && (got = dir_next(dir, &item)) > 0)
                r = add_item(pack, fd, item, depth, err);
        (void) closedir(dir);
        return r == 0 && got < 0 ? error_set(err, got, "list %s", pack->path) : r;
}

/* Returns: 0; @ret_fd is -EBADF where the directory may not be read */
static int open_dir(TreePack *pack, int dir, const char *leaf, int *ret_fd, Error *err) {
        int fd = openat(dir, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        *ret_fd = fd < 0 ? -EBADF : fd;
        if (fd >= 0)
                return 0;
        if (errno == EACCES || errno == EPERM)
                leave_out(pack);
        return errno == EACCES || errno == EPERM || errno == ENOENT || errno == ENOTDIR ||
                               errno == ELOOP
                       ? 0
                       : error_set(err, -errno, "open %s", pack->path);
}

/* @depth < 0: of a directory itself alone */
static int add_at(TreePack *pack, int dir, const char *leaf, int depth, Error *err) {
        autoclose int fd = -EBADF;
        struct stat st;
        int r;

        if (fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT || errno == ENOTDIR || errno == EACCES
                               ? 0
                               : error_set(err, -errno, "look at %s", pack->path);
        if (S_ISLNK(st.st_mode))
                return add_link(pack, dir, leaf, &st, err);
        if (S_ISREG(st.st_mode))
                return add_file(pack, dir, leaf, &st, err);
        if (!S_ISDIR(st.st_mode)) {
                pack->totals.skipped++;
                return 0;
        }
        if (pack->others_only &&
            !(st.st_mode & S_IXOTH)) { /* whatever the modes of what is in it */
                leave_out(pack);
                return 0;
        }
        r = open_dir(pack, dir, leaf, &fd, err);
        if (r < 0 || fd < 0)
                return r;
        r = add_dir(pack, fd, &st, err);
        if (depth == 0)
                pack->dev = st.st_dev;
        pack->totals.skipped += depth > 0 && st.st_dev != pack->dev;
        return r < 0 || depth < 0 || st.st_dev != pack->dev ? r : add_items(pack, fd, depth, err);
}

/* May everybody get to what lies in @above */
static bool all_may_pass(const TreePack *pack, const char *above) {
        char part[PATH_MAX];
        struct stat st;

        for (size_t n = strcspn(above, "/");; n += 1 + strcspn(above + n + 1, "/")) {
                (void) snprintf(part, sizeof(part), "%.*s", (int) n, above);
                if (fstatat(pack->root, part, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
                    !(st.st_mode & S_IXOTH))
                        return false;
                if (!above[n])
                        return true;
        }
}

int tree_pack_add(TreePack *pack, const char *path, bool whole, Error *err) {
        const char *slash = strrchr(path, '/');
        autoclose int parent = -EBADF;
        char above[PATH_MAX];

        if (strlen(path) >= sizeof(pack->path))
                return error_say(err, -ENAMETOOLONG, "%.200s…: the path is too long.", path);
        (void) snprintf(pack->path, sizeof(pack->path), "%s", path);
        (void) snprintf(above, sizeof(above), "%.*s", slash ? (int) (slash - path) : 1,
                        slash ? path : ".");
        parent = open_beneath(pack->root, above, O_PATH | O_DIRECTORY);
        if (parent < 0)
                return parent == -ENOENT || parent == -ENOTDIR || parent == -ELOOP ||
                                       parent == -EACCES
                               ? 0
                               : error_set(err, parent, "open %s", above);
        if (pack->others_only && !all_may_pass(pack, above)) {
                leave_out(pack);
                return 0;
        }
        return add_at(pack, parent, slash ? slash + 1 : path, whole ? 0 : -1, err);
}

int tree_pack_end(TreePack *pack, TreePackTotals *ret_totals, Error *err) {
        if (!pack->others_only)
                left_out_end(pack->totals.left_out);
        if (archive_write_close(pack->archive) != ARCHIVE_OK)
                return failed(pack, err);
        pack->is_whole = true;
        *ret_totals = pack->totals;
        return 0;
}

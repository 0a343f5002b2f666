/* land: see land.h. */
#include "sandbox/files/land.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/units.h"
#include "sandbox/files/beneath.h"

static const EntryMeta implicit_dir = { .kind = ENTRY_DIR, .mode = 0755, .flags = ENTRY_IMPLICIT };

int land_init(Land *land, int root, const LandLimits *limits, Report *report) {
        Entry *entry = NULL;
        int r;

        *land = (Land){ .root = root, .report = report, .limits = *limits, .file = -EBADF };
        dirs_init(&land->dirs, root);
        r = room_of(root, &land->room);
        if (r < 0)
                return r;
        if (land->limits.entries > land->room.inodes)
                land->limits.entries = land->room.inodes;
        r = table_new(land->limits.entries, &land->table);
        if (r >= 0)
                r = table_add(land->table, "", &implicit_dir, &entry);
        return r < 0 ? r : hasher_new(hasher_workers(), &land->hasher);
}

void land_deinit(Land *land) {
        owned_close(&land->file);
        dirs_deinit(&land->dirs);
        land->hasher = hasher_free(land->hasher);
        land->table = table_free(land->table);
}

int land_clean_meta(Land *land, const char *path, EntryMeta *meta) {
        if (meta->sec < 0 || meta->sec > LAND_TIME_MAX) {
                meta->sec = meta->sec < 0 ? 0 : LAND_TIME_MAX;
                meta->nsec = 0;
        }
        meta->mode &= 01777;
        if (meta->uid <= LAND_ID_MAX && meta->gid <= LAND_ID_MAX)
                return 0;
        if (meta->uid > LAND_ID_MAX)
                meta->uid = LAND_ID_NOBODY;
        if (meta->gid > LAND_ID_MAX)
                meta->gid = LAND_ID_NOBODY;
        return report_note(land->report, RULE_ID_RANGE, path,
                           "its owner has no place in a jail; it belongs to nobody (%u) now",
                           LAND_ID_NOBODY);
}

/* Nothing is added before it is known to fit what its owner has left on disk. */
static int check_disk(Land *land, const char *path, uint64_t bytes, uint64_t entries) {
        uint64_t used = land->bytes + LAYER_ENTRY_BYTES * table_count(land->table);
        uint64_t more = bytes + LAYER_ENTRY_BYTES * entries;
        char most[UNITS_TEXT_MAX];

        if (land->limits.disk == 0 ||
            (used <= land->limits.disk && more <= land->limits.disk - used))
                return 0;
        return report_refuse(land->report, RULE_TOO_MANY_BYTES, path,
                             "more than %s on disk, with %u bytes for each entry",
                             units_format_size(land->limits.disk, most), LAYER_ENTRY_BYTES);
}

static int too_many(Land *land, const char *path, int r, Error *err) {
        if (r != -E2BIG)
                return error_set(err, r, "remember what landed");
        if (table_count(land->table) < land->limits.entries)
                return report_refuse(land->report, RULE_TOO_MANY_ENTRIES, path,
                                     "more names than fit in memory");
        return report_refuse(land->report, RULE_TOO_MANY_ENTRIES, path,
                             "more than %llu files, directories and links, %s",
                             (unsigned long long) land->limits.entries,
                             land->limits.entries == land->room.inodes
                                     ? "for which there is room on disk"
                                     : "the most that may land");
}

/* What could be entered is land->dirs.path; the component after it could not. */
static int through_link(Land *land, const char *path) {
        size_t entered = strlen(land->dirs.path), start = entered > 0 ? entered + 1 : 0;
        int n = (int) (start + strcspn(path + start, "/"));

        return report_refuse(
                land->report, RULE_THROUGH_LINK, path,
                "\"%.*s\" stands in the way: it is no directory, and links are not followed", n,
                path);
}

static int add_entry(Land *land, const char *path, const EntryMeta *meta, Entry **ret_entry,
                     Error *err) {
        int r = check_disk(land, path, 0, 1);

        if (r < 0)
                return r;
        r = table_add(land->table, path, meta, ret_entry);
        return r < 0 ? too_many(land, path, r, err) : 0;
}

/* The part of @path after what could be entered is missing: make its first component. */
static int make_implicit(Land *land, const char *path, size_t n, Error *err) {
        size_t start = strlen(land->dirs.path), end;
        EntryMeta meta = implicit_dir;
        char dir[NAME_PATH_MAX];
        Entry *entry = NULL;
        int fd;

        meta.uid = meta.gid = land->owner;
        if (land->dir_mode)
                meta.mode = land->dir_mode;
        start += start > 0;
        end = start + strcspn(path + start, "/");
        memcpy(dir, path, end < n ? end : n);
        dir[end] = 0;
        fd = dirs_enter(&land->dirs, dir, start > 0 ? start - 1 : 0);
        if (fd < 0)
                return error_set(err, fd, "enter a directory of the layer");
        if (mkdirat(fd, dir + start, 0700) < 0)
                return error_set(err, -errno, "make a directory of the layer");
        return add_entry(land, dir, &meta, &entry, err);
}

/* The open directory that holds @path; directories that no entry named are made. */
static int enter_parent(Land *land, const char *path, Error *err) {
        const char *leaf = name_leaf(path);
        size_t n = leaf == path ? 0 : (size_t) (leaf - path) - 1;
        int fd, r;

        for (;;) {
                fd = dirs_enter(&land->dirs, path, n);
                if (fd >= 0)
                        return fd;
                if (fd == -ELOOP || fd == -ENOTDIR)
                        return through_link(land, path);
                if (fd != -ENOENT)
                        return error_set(err, fd, "enter a directory of the layer");
                r = make_implicit(land, path, n, err);
                if (r < 0)
                        return r;
        }
}

/*
 * Make room for a new file or link at @path and give it its entry. What is there is unlinked, never
 * written to: it may be another name of a file that must keep its content.
 */
static int claim(Land *land, int parent, const char *path, const EntryMeta *meta, Error *err) {
        const Entry *old = table_find(land->table, path);
        int r;

        if (!*path)
                return report_refuse(land->report, RULE_NAME_EMPTY, path,
                                     "the name means the root, which is a directory");
        if (!old)
                return add_entry(land, path, meta, &land->entry, err);
        if (old->meta.kind != meta->kind)
                return report_refuse(land->report, RULE_TYPE_CHANGE, path,
                                     "the name comes twice, as things of different types");
        if (unlinkat(parent, name_leaf(path), 0) < 0)
                return error_set(err, -errno, "take away the earlier entry of a name");
        r = table_replace(land->table, old, meta, &land->entry);
        return r < 0 ? too_many(land, path, r, err) : 0;
}

int land_dir(Land *land, const char *path, const EntryMeta *meta, Error *err) {
        Entry *old = table_find(land->table, path);
        int parent;

        if (old) {
                if (old->meta.kind != ENTRY_DIR)
                        return report_refuse(land->report, RULE_TYPE_CHANGE, path,
                                             "the name comes twice, as things of different types");
                old->meta = *meta;
                land->entry = old;
                return 0;
        }
        parent = enter_parent(land, path, err);
        if (parent < 0)
                return parent;
        if (mkdirat(parent, name_leaf(path), 0700) < 0)
                return error_set(err, -errno, "make a directory of the layer");
        return add_entry(land, path, meta, &land->entry, err);
}

static int count_bytes(Land *land, const char *path, uint64_t size) {
        char most[UNITS_TEXT_MAX];

        if (size > land->limits.bytes || land->bytes > land->limits.bytes - size)
                return report_refuse(land->report, RULE_TOO_MANY_BYTES, path,
                                     "more than %s in all, holes counted",
                                     units_format_size(land->limits.bytes, most));
        if (check_disk(land, path, size, 0) < 0)
                return -EBADMSG;
        land->bytes += size;
        return 0;
}

int land_file(Land *land, const char *path, const EntryMeta *meta, Error *err) {
        int parent, r = count_bytes(land, path, meta->size);

        if (r < 0)
                return r;
        parent = enter_parent(land, path, err);
        if (parent < 0)
                return parent;
        r = claim(land, parent, path, meta, err);
        if (r < 0)
                return r;
        land->file = beneath_open(parent, name_leaf(path), O_WRONLY | O_CREAT | O_EXCL, meta->mode);
        if (land->file < 0)
                return error_set(err, land->file, "make a file of the layer");
        land->at = land->end = 0;
        r = hasher_begin(land->hasher, HASHER_PIECES, meta->size, land->entry->digest);
        return r < 0 ? error_set(err, r, "hash a file of the layer") : 0;
}

static int write_at(int fd, const char *bytes, size_t n, uint64_t at) {
        while (n > 0) {
                ssize_t done = pwrite(fd, bytes, n, (off_t) at);

                if (done < 0 && errno == EINTR)
                        continue;
                if (done <= 0)
                        return done < 0 ? -errno : -EIO;
                bytes += done;
                at += (uint64_t) done;
                n -= (size_t) done;
        }
        return 0;
}

static bool is_zeroes(const char *bytes, size_t n) {
        return *bytes == 0 && memcmp(bytes, bytes + 1, n - 1) == 0;
}

int land_data(Land *land, uint64_t offset, const void *bytes, size_t n, Error *err) {
        uint64_t size = land->entry->meta.size;
        char most[UNITS_TEXT_MAX];
        int r;

        if (offset < land->at || offset > size || n > size - offset)
                return report_refuse(land->report, RULE_DAMAGED, land->entry->path,
                                     "data lie outside of the size that the entry gives");
        hasher_add_zeroes(land->hasher, offset - land->at);
        land->at = offset + n;
        if (n == 0 || is_zeroes(bytes, n)) {
                hasher_add_zeroes(land->hasher, n);
                return 0;
        }
        hasher_add(land->hasher, bytes, n);
        if (n > land->room.bytes || land->written > land->room.bytes - n)
                return report_refuse(land->report, RULE_TOO_MANY_BYTES, land->entry->path,
                                     "the disk has no room for more than %s",
                                     units_format_size(land->room.bytes, most));
        r = write_at(land->file, bytes, n, offset);
        if (r < 0)
                return error_set(err, r, "write a file of the layer");
        land->written += n;
        land->end = offset + n;
        return 0;
}

static int set_owner_and_time(int fd, const EntryMeta *meta, Error *err) {
        struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
                                     { .tv_sec = meta->sec, .tv_nsec = meta->nsec } };

        if ((meta->uid != geteuid() || meta->gid != getegid()) &&
            fchown(fd, meta->uid, meta->gid) < 0)
                return error_set(err, -errno, "set the owner of an entry");
        if (futimens(fd, times) < 0)
                return error_set(err, -errno, "set the time of an entry");
        return 0;
}

int land_file_end(Land *land, Error *err) {
        autoclose int file = TAKE_FD(land->file);
        const EntryMeta *meta = &land->entry->meta;

        hasher_add_zeroes(land->hasher, meta->size - land->at);
        hasher_end(land->hasher);
        if (land->end < meta->size && ftruncate(file, (off_t) meta->size) < 0)
                return error_set(err, -errno, "set the size of a file of the layer");
        return set_owner_and_time(file, meta, err);
}

/* Owner and time of what cannot be opened: a link, a whiteout. It was just made, beneath @parent. */
static int finish_node(int parent, const char *leaf, const EntryMeta *meta, Error *err) {
        struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
                                     { .tv_sec = meta->sec, .tv_nsec = meta->nsec } };

        if ((meta->uid != geteuid() || meta->gid != getegid()) &&
            fchownat(parent, leaf, meta->uid, meta->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set(err, -errno, "set the owner of an entry");
        if (utimensat(parent, leaf, times, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set(err, -errno, "set the time of an entry");
        return 0;
}

int land_link(Land *land, const char *path, const char *target, const EntryMeta *meta, Error *err) {
        int parent = enter_parent(land, path, err), r;

        if (parent < 0)
                return parent;
        r = claim(land, parent, path, meta, err);
        if (r < 0)
                return r;
        if (symlinkat(target, parent, name_leaf(path)) < 0)
                return error_set(err, -errno, "make a link of the layer");
        land->entry->meta.mode =
                0777; /* the only one that Linux knows, whatever the archive says */
        digest_of(target, strlen(target), land->entry->digest);
        return finish_node(parent, name_leaf(path), meta, err);
}

int land_hard_link(Land *land, const char *path, const char *target, Error *err) {
        const Entry *content = table_find(land->table, target);
        const char *leaf = NULL;
        autoclose int from = -EBADF;
        int parent, r;

        if (!content || (content->meta.kind != ENTRY_FILE && content->meta.kind != ENTRY_LINK))
                return report_refuse(
                        land->report, RULE_LINK_MISSING, path,
                        "it is a hard link to \"%.200s\", which is no file that came before it",
                        target);
        if (strcmp(path, target) == 0)
                return 0;
        parent = enter_parent(land, path, err);
        if (parent < 0)
                return parent;
        r = claim(land, parent, path, &content->meta, err);
        if (r < 0)
                return r;
        from = beneath_parent(land->root, target, &leaf);
        if (from < 0)
                return error_set(err, from, "enter a directory of the layer");
        r = linkat(from, leaf, parent, name_leaf(path), 0) < 0 ? -errno : 0;
        if (r == -EMLINK)
                return report_refuse(land->report, RULE_TOO_MANY_ENTRIES, path,
                                     "the file has more names than the file system allows");
        if (r < 0)
                return error_set(err, r, "make a hard link of the layer");
        land->entry->same = content->same ? content->same : content;
        return 0;
}

int land_whiteout(Land *land, const char *path, const EntryMeta *meta, Error *err) {
        int parent = enter_parent(land, path, err), r;

        if (parent < 0)
                return parent;
        r = claim(land, parent, path, meta, err);
        if (r < 0)
                return r;
        if (mknodat(parent, name_leaf(path), S_IFCHR, 0) < 0)
                return error_set(err, -errno, "make a whiteout of the layer");
        return finish_node(parent, name_leaf(path), meta, err);
}

int land_xattr(Land *land, const char *path, const LandXattr *xattr, Error *err) {
        autoclose int dir = -EBADF;
        int fd = land->file;
        int r = count_bytes(land, path, strlen(xattr->name) + xattr->size);

        if (r < 0)
                return r;
        if (fd < 0) {
                dir = beneath_dir(land->root, path);
                if (dir < 0)
                        return error_set(err, dir, "open a directory of the layer");
                fd = dir;
        }
        if (fsetxattr(fd, xattr->name, xattr->value, xattr->size, 0) < 0)
                return report_note(land->report, RULE_XATTR, path,
                                   "the attribute %.255s cannot be kept here: %s", xattr->name,
                                   strerror(errno));
        r = entry_add_xattr(land->entry, xattr->name, xattr->value, xattr->size);
        return r < 0 ? error_set(err, r, "remember an attribute") : 0;
}

int land_opaque(Land *land, const char *path, Error *err) {
        autoclose int dir = beneath_dir(land->root, path);

        if (dir < 0)
                return error_set(err, dir, "open a directory of the layer");
        if (fsetxattr(dir, "user.overlay.opaque", "y", 1, 0) < 0)
                return error_set(err, -errno, "mark a directory of the layer as opaque");
        land->entry->meta.flags |= ENTRY_OPAQUE;
        return 0;
}

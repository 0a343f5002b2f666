/* check: see check.h. */
#include "sandbox/files/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/spans.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/entry.h"
#include "sandbox/files/hasher.h"
#include "sandbox/files/land-finish.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/names.h"
#include "sandbox/files/save-xattrs.h"
#include "sandbox/files/unpack-xattrs.h"
#include "sandbox/files/xattr-names.h"

#define CHUNK       (256u << 10)
#define ENTRIES_MAX 8000000u

typedef struct Check {
        Report *report; /* borrowed */
        Table *table;   /* owned, as the next two */
        Hasher *hasher;
        char *chunk;
        uint64_t since_nsec, bytes;
        unsigned n_paths;
        char path[NAME_PATH_MAX];
} Check;

/* Attributes that the host's own security modules put on files by themselves */
static const char *const hosts_own[] = { "security.selinux", "security.ima", "security.evm",
                                         "security.apparmor", "security.SMACK64" };

/* A layer that could be read once and cannot now is damaged; what the host lacks for it now is another matter. */
static int unreadable(Check *check, int r, Error *err) {
        static const int hosts[] = { ENOMEM, EMFILE, ENFILE, EINTR, EAGAIN, EPERM, EACCES };

        for (size_t i = 0; i < ELEMENTS(hosts); i++)
                if (r == -hosts[i])
                        return error_set(err, r, "read the layer");
        return report_refuse(check->report, RULE_DAMAGED, check->path, "it cannot be read: %s",
                             strerror(-r));
}

static EntryMeta meta_of(const struct stat *st, EntryKind kind) {
        return (EntryMeta){ .kind = (uint8_t) kind,
                            .mode = (uint16_t) (st->st_mode & 07777),
                            .uid = st->st_uid,
                            .gid = st->st_gid,
                            .sec = st->st_mtim.tv_sec,
                            .nsec = (uint32_t) st->st_mtim.tv_nsec,
                            .size = kind == ENTRY_FILE ? (uint64_t) st->st_size : 0 };
}

static int add_entry(Check *check, const EntryMeta *meta, Entry **ret, Error *err) {
        int r = table_add(check->table, check->path, meta, ret);

        return r < 0 ? error_set(err, r, "remember what is in the layer") : 0;
}

/* Not of the layer's own directory, which got its name later than it was complete */
static int tell_changed(Check *check, const struct stat *st) {
        uint64_t at = (uint64_t) st->st_ctim.tv_sec * 1000000000 + (uint64_t) st->st_ctim.tv_nsec;

        if (check->since_nsec == 0 || at <= check->since_nsec || !*check->path ||
            check->n_paths >= CHECK_PATHS_MAX)
                return 0;
        check->n_paths++;
        return report_path(check->report, RECORD_PATH, PATH_MODIFIED, st->st_mode & 07777,
                           check->path);
}

static bool is_kept(const char *name) {
        for (size_t i = 0; i < ELEMENTS(hosts_own); i++)
                if (strcmp(name, hosts_own[i]) == 0)
                        return false;
        return strncmp(name, "user.overlay.", 13) != 0;
}

static int add_xattr(Check *check, int fd, const char *name, Entry *entry, Error *err) {
        char value[XATTR_SIZE_MAX];
        ssize_t n = fgetxattr(fd, name, value, sizeof(value));
        int r;

        if (n < 0)
                return unreadable(check, -errno, err);
        check->bytes += strlen(name) + (size_t) n;
        r = entry_add_xattr(entry, name, value, (size_t) n);
        return r < 0 ? error_set(err, r, "remember an attribute") : 0;
}

static int add_xattrs(Check *check, int fd, Entry *entry, Error *err) {
        autofree const char **names = NULL;
        int n = xattr_names(fd, &names), r = 0;
        unsigned kept = 0;

        if (n < 0)
                return unreadable(check, n, err);
        for (int i = 0; r >= 0 && i < n; i++) {
                if (!is_kept(names[i]))
                        continue;
                if (kept++ == XATTRS_MAX)
                        return report_refuse(check->report, RULE_XATTR, check->path,
                                             "it has more attributes than any entry of a layer");
                r = add_xattr(check, fd, names[i], entry, err);
        }
        return r;
}

static int hash_span(Check *check, int fd, Span span, Error *err) {
        int r = 0;

        while (r >= 0 && span.at < span.end) {
                uint64_t left = span.end - span.at;
                ssize_t n = pread(fd, check->chunk, left < CHUNK ? left : CHUNK, (off_t) span.at);

                if (n <= 0)
                        return unreadable(check, n < 0 ? -errno : -ENODATA, err);
                hasher_add(check->hasher, check->chunk, (size_t) n);
                span.at += (uint64_t) n;
                r = report_progress(check->report, check->bytes + span.at,
                                    table_count(check->table));
        }
        return r;
}

/* From hole to hole, as it was written (land.c) */
static int hash_content(Check *check, int fd, uint64_t size, Error *err) {
        Span span;
        uint64_t at = 0;
        int r = 0;

        while (r >= 0 && span_next(fd, at, size, &span)) {
                hasher_add_zeroes(check->hasher, span.at - at);
                r = hash_span(check, fd, span, err);
                at = span.end;
        }
        if (r >= 0)
                hasher_add_zeroes(check->hasher, size - at);
        return r;
}

static int check_file(Check *check, int dir, const char *name, Error *err) {
        autoclose int fd = beneath_open(dir, name, O_RDONLY | O_NONBLOCK, 0);
        Entry *entry = NULL;
        struct stat st;
        EntryMeta meta;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return unreadable(check, fd < 0 ? fd : -errno, err);
        meta = meta_of(&st, ENTRY_FILE);
        r = add_entry(check, &meta, &entry, err);
        if (r >= 0)
                r = add_xattrs(check, fd, entry, err);
        if (r < 0)
                return r;
        r = hasher_begin(check->hasher, HASHER_PIECES, meta.size, entry->digest);
        if (r < 0)
                return error_set(err, r, "hash a file of the layer");
        r = hash_content(check, fd, meta.size, err);
        hasher_end(check->hasher);
        check->bytes += meta.size;
        return r < 0 ? r : tell_changed(check, &st);
}

static int check_link(Check *check, int dir, const char *name, const struct stat *st, Error *err) {
        const EntryMeta meta = meta_of(st, ENTRY_LINK);
        char target[NAME_PATH_MAX];
        Entry *entry = NULL;
        int r = beneath_read_link(dir, name, target);

        if (r < 0)
                return unreadable(check, r, err);
        r = add_entry(check, &meta, &entry, err);
        if (r < 0)
                return r;
        digest_of(target, strlen(target), entry->digest);
        return tell_changed(check, st);
}

static int check_node(Check *check, int dir, const char *name, Error *err) {
        const EntryMeta whiteout = { .kind = ENTRY_WHITEOUT };
        Entry *entry = NULL;
        struct stat st;

        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return unreadable(check, -errno, err);
        if (S_ISREG(st.st_mode))
                return check_file(check, dir, name, err);
        if (S_ISLNK(st.st_mode))
                return check_link(check, dir, name, &st, err);
        if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
                return add_entry(check, &whiteout, &entry, err);
        return report_refuse(check->report, RULE_SPECIAL_FILE, check->path,
                             "it is a device, a fifo or a socket, which no layer has");
}

static int check_dir(Check *check, int dir, unsigned depth, Error *err);

static int check_item(Check *check, int dir, const ListingItem *item, unsigned depth, Error *err) {
        autoclose int below = -EBADF;

        if (!item->is_dir)
                return check_node(check, dir, item->name, err);
        below = beneath_dir(dir, item->name);
        return below < 0 ? unreadable(check, below, err) : check_dir(check, below, depth + 1, err);
}

static int check_items(Check *check, int dir, unsigned depth, Error *err) {
        SCOPED(listing_free) Listing *list = NULL;
        size_t n = strlen(check->path);
        int r = listing_new(dir, &list);

        if (r < 0)
                return unreadable(check, r, err);
        for (unsigned i = 0; r >= 0 && i < list->n; i++) {
                check->path[n] = 0;
                if (!name_join(check->path, check->path, list->items[i].name))
                        return report_refuse(check->report, RULE_NAME_LONG, check->path, "%s",
                                             name_sentence(RULE_NAME_LONG));
                r = check_item(check, dir, &list->items[i], depth, err);
        }
        check->path[n] = 0;
        return r;
}

static int check_dir(Check *check, int dir, unsigned depth, Error *err) {
        Entry *entry = NULL;
        SaveMarks marks = { 0 };
        struct stat st;
        EntryMeta meta;
        int r;

        if (depth > NAME_DEPTH_MAX)
                return report_refuse(check->report, RULE_NAME_DEPTH, check->path, "%s",
                                     name_sentence(RULE_NAME_DEPTH));
        r = fstat(dir, &st) < 0 ? -errno : save_marks(dir, &marks);
        if (r < 0)
                return unreadable(check, r, err);
        if (marks.redirect || marks.whiteout)
                return report_refuse(check->report, RULE_REDIRECT, check->path,
                                     "it has a mark of the overlay that no layer has");
        meta = meta_of(&st, ENTRY_DIR);
        meta.flags = marks.opaque ? ENTRY_OPAQUE : 0;
        r = add_entry(check, &meta, &entry, err);
        if (r >= 0)
                r = add_xattrs(check, dir, entry, err);
        if (r >= 0)
                r = check_items(check, dir, depth, err);
        return r < 0 ? r : tell_changed(check, &st);
}

int check_run(const CheckJob *job, Report *report, Error *err) {
        autofree Check *check = calloc(1, sizeof(*check));
        int r;

        if (!check)
                return error_set(err, -ENOMEM, "start to check");
        check->report = report;
        check->since_nsec = job->since_nsec;
        check->chunk = malloc(CHUNK);
        r = check->chunk ? table_new(ENTRIES_MAX, &check->table) : -ENOMEM;
        if (r >= 0)
                r = hasher_new(hasher_workers(), &check->hasher);
        if (r < 0)
                r = error_set(err, r, "start to check");
        else
                r = check_dir(check, job->layer, 0, err);
        if (r >= 0)
                r = manifest_report(check->table, check->hasher, check->bytes, report, err);
        hasher_free(check->hasher);
        table_free(check->table);
        free(check->chunk);
        return r < 0 && err->code == 0 && !report->refused ? error_set(err, r, "write a record")
                                                           : r;
}

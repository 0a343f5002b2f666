/* changes: see changes.h. */
#include "sandbox/files/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/json-path.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/names.h"
#include "sandbox/files/save-xattrs.h"

#define ROOM    (192u << 10)
#define ROW_MAX (JSON_PATH_MAX + 256u)
_Static_assert(ROOM >= 2 * ROW_MAX, "there is room for a line where another one was written");

typedef enum Change { CHANGE_ADDED, CHANGE_MODIFIED, CHANGE_DELETED, _CHANGE_MAX } Change;

typedef struct Changes {
        const ChangesJob *job;        /* borrowed */
        Report *report;               /* likewise */
        uint64_t n[_CHANGE_MAX];      /* lines so far */
        uint64_t entries;             /* of the upper */
        size_t prefix;                /* bytes of it */
        char path[2 * NAME_PATH_MAX]; /* prefix, and what is looked at */
        char lines[ROOM];
        size_t used;
} Changes;

/* One directory of the walk */
typedef struct Place {
        int upper;   /* owned, as the next */
        int old;     /* -EBADF: there was no such directory */
        bool hidden; /* nothing of the old one shows through */
        unsigned depth;
} Place;

/* What one name of a directory is, and was */
typedef struct Item {
        const char *name;
        struct stat now, was;
        bool had; /* there was something: @was */
} Item;

/* ---- lines --------------------------------------------------------------------------------------- */

static const char *kind_of(const struct stat *st) {
        return S_ISREG(st->st_mode)   ? "file"
               : S_ISDIR(st->st_mode) ? "directory"
               : S_ISLNK(st->st_mode) ? "link"
                                      : "other";
}

static int flush(Changes *changes, Error *err) {
        int r = fd_write_all(changes->job->out, changes->lines, changes->used);

        changes->used = 0;
        return r < 0 ? error_set(err, r, "write what changed") : 0;
}

static void add(Changes *changes, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(Changes *changes, const char *format, ...) {
        va_list args;
        int n;

        va_start(args, format);
        n = vsnprintf(changes->lines + changes->used, ROOM - changes->used, format, args);
        va_end(args);
        changes->used += (size_t) n;
}

static void begin_line(Changes *changes, Change change, const struct stat *st) {
        static const char letters[] = "AMD";

        changes->n[change]++;
        add(changes, "{\"change\":\"%c\",", letters[change]);
        changes->used += json_path(changes->path, changes->lines + changes->used);
        add(changes, ",\"kind\":\"%s\"", kind_of(st));
}

static int end_line(Changes *changes, Error *err) {
        add(changes, "}\n");
        return changes->used > ROOM - ROW_MAX ? flush(changes, err) : 0;
}

static int tell_deleted(Changes *changes, const struct stat *was, Error *err) {
        begin_line(changes, CHANGE_DELETED, was);
        return end_line(changes, err);
}

/* @was: NULL of what is new */
static int tell(Changes *changes, const struct stat *now, const struct stat *was, Error *err) {
        begin_line(changes, was ? CHANGE_MODIFIED : CHANGE_ADDED, now);
        if (was && (now->st_mode & S_IFMT) != (was->st_mode & S_IFMT))
                add(changes, ",\"was\":\"%s\"", kind_of(was));
        add(changes, ",\"mode\":%u,\"size\":%llu", (unsigned) (now->st_mode & 07777),
            S_ISREG(now->st_mode) ? (unsigned long long) now->st_size : 0ull);
        return end_line(changes, err);
}

/* ---- the walk ------------------------------------------------------------------------------------ */

/* The jail removed it since it was seen, or put something of another kind in its place */
static bool is_vanished(int r) {
        return r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -ENXIO;
}

/* What lies at @name of @dir. Returns: 1, 0 there is nothing, negative errno */
static int look(int dir, const char *name, struct stat *ret, Error *err) {
        if (dir < 0)
                return 0;
        if (fstatat(dir, name, ret, AT_SYMLINK_NOFOLLOW) == 0)
                return 1;
        return errno == ENOENT ? 0 : error_set(err, -errno, "look at what changed");
}

/* Is it the overlay's mark of a deletion? Returns: 1, 0, negative errno */
static int is_whiteout(int dir, const Item *item, Error *err) {
        const struct stat *st = &item->now;
        autoclose int fd = -EBADF;
        SaveMarks marks;
        int r;

        if (S_ISCHR(st->st_mode) && st->st_rdev == 0)
                return 1;
        if (!S_ISREG(st->st_mode) || st->st_size > 0)
                return 0;
        fd = beneath_open(dir, item->name, O_RDONLY | O_NONBLOCK, 0);
        if (is_vanished(fd))
                return 0;
        r = fd < 0 ? fd : save_marks(fd, &marks);
        return r < 0 ? error_set(err, r, "read the overlay's marks") : marks.whiteout;
}

static bool differ(const struct stat *a, const struct stat *b) {
        return (a->st_mode & 07777) != (b->st_mode & 07777) || a->st_uid != b->st_uid ||
               a->st_gid != b->st_gid;
}

static bool go_down(Changes *changes, const char *name, size_t *ret_before) {
        size_t n = strlen(changes->path), m = strlen(name);

        *ret_before = n;
        if (n - changes->prefix + 1 + m >= NAME_PATH_MAX)
                return false;
        changes->path[n] = '/';
        memcpy(changes->path + n + 1, name, m + 1);
        return true;
}

/* Names of a directory that was made anew, which it has no more */
static int tell_hidden(Changes *changes, const Place *place, const Listing *now, Error *err) {
        SCOPED(listing_free) Listing *was = NULL;
        struct stat st;
        size_t before;
        int r = listing_new(place->old, &was);

        if (r < 0)
                return error_set(err, r, "list a directory of the layers below");
        for (unsigned i = 0; r >= 0 && i < was->n; i++) {
                if (listing_find(now, was->items[i].name) ||
                    !go_down(changes, was->items[i].name, &before))
                        continue;
                r = look(place->old, was->items[i].name, &st, err);
                if (r > 0)
                        r = tell_deleted(changes, &st, err);
                changes->path[before] = 0;
        }
        return r;
}

static int walk(Changes *changes, const Place *place, Error *err);

/* Returns: 1, @ret is open; 0 it is no directory any more; negative errno */
static int open_place(const Place *outer, const Item *item, Place *ret, Error *err) {
        SaveMarks marks;
        int r;

        ret->upper = beneath_dir(outer->upper, item->name);
        if (is_vanished(ret->upper))
                return 0;
        r = ret->upper < 0 ? ret->upper : save_marks(ret->upper, &marks);
        if (r >= 0 && item->had && S_ISDIR(item->was.st_mode)) {
                ret->old = beneath_dir(outer->old, item->name);
                r = ret->old < 0 ? ret->old : 0;
                ret->hidden = outer->hidden || (r >= 0 && marks.opaque);
        }
        return r < 0 ? error_set(err, r, "open a directory that changed") : 1;
}

static int take_dir(Changes *changes, const Place *outer, const Item *item, Error *err) {
        Place place = { .upper = -EBADF, .old = -EBADF, .depth = outer->depth + 1 };
        int r = open_place(outer, item, &place, err);

        if (r > 0)
                r = walk(changes, &place, err);
        owned_close(&place.upper);
        owned_close(&place.old);
        return r;
}

static int take_item(Changes *changes, const Place *place, const char *name, Error *err) {
        Item item = { .name = name };
        int there = look(place->upper, name, &item.now, err);
        int had = there > 0 ? look(place->old, name, &item.was, err) : 0, gone, r = 0;

        if (there <= 0 || had < 0)
                return there <= 0 ? there : had;
        item.had = had > 0;
        gone = is_whiteout(place->upper, &item, err);
        if (gone > 0)
                return item.had ? tell_deleted(changes, &item.was, err) : 0;
        if (gone < 0)
                return gone;
        if (!item.had)
                r = tell(changes, &item.now, NULL, err);
        else if (!S_ISDIR(item.now.st_mode) || !S_ISDIR(item.was.st_mode) ||
                 differ(&item.now, &item.was))
                r = tell(changes, &item.now, &item.was, err);
        return r < 0 || !S_ISDIR(item.now.st_mode) ? r : take_dir(changes, place, &item, err);
}

static int too_deep(Changes *changes, RecordRule rule) {
        return report_refuse(changes->report, rule, changes->path, "%s", name_sentence(rule));
}

/* A place to mount on, made when the jail was */
static bool is_covered(const Changes *changes, const char *name) {
        const OptionList *covered = changes->job->covered;

        for (unsigned i = 0; i < covered->n; i++)
                if (strcmp(covered->items[i], name) == 0)
                        return true;
        return false;
}

static int walk(Changes *changes, const Place *place, Error *err) {
        SCOPED(listing_free) Listing *items = NULL;
        size_t before;
        int r;

        if (place->depth > NAME_DEPTH_MAX)
                return too_deep(changes, RULE_NAME_DEPTH);
        r = listing_new(place->upper, &items);
        if (is_vanished(r))
                return 0;
        if (r < 0)
                return error_set(err, r, "list a directory that changed");
        for (unsigned i = 0; r >= 0 && i < items->n; i++) {
                if (place->depth == 0 && is_covered(changes, items->items[i].name))
                        continue;
                if (!go_down(changes, items->items[i].name, &before))
                        return too_deep(changes, RULE_NAME_LONG);
                changes->entries++;
                r = report_progress(changes->report, 0, changes->entries);
                if (r >= 0)
                        r = take_item(changes, place, items->items[i].name, err);
                changes->path[before] = 0;
        }
        return r >= 0 && place->hidden ? tell_hidden(changes, place, items, err) : r;
}

int changes_run(const ChangesJob *job, Report *report, Error *err) {
        autofree Changes *changes = malloc(sizeof(*changes));
        const Place root = { .upper = job->upper, .old = job->old };
        int r;

        if (!changes)
                return error_set(err, -ENOMEM, "look for changes");
        *changes = (Changes){ .job = job, .report = report, .prefix = strlen(job->prefix) };
        if (changes->prefix >= NAME_PATH_MAX)
                return error_say(err, -ENAMETOOLONG, "the prefix of all paths is too long");
        memcpy(changes->path, job->prefix, changes->prefix + 1);
        r = walk(changes, &root, err);
        if (r >= 0)
                r = flush(changes, err);
        return r < 0 ? r
                     : report_numbers(report, RECORD_COUNTS,
                                      changes->n[CHANGE_ADDED] << 32 | changes->n[CHANGE_MODIFIED],
                                      changes->n[CHANGE_DELETED] << 32);
}

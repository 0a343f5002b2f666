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
} Place;

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

/* What lies at @name of @dir. Returns: 1, 0 there is nothing, negative errno */
static int look(int dir, const char *name, struct stat *ret, Error *err) {
        if (dir < 0)
                return 0;
        if (fstatat(dir, name, ret, AT_SYMLINK_NOFOLLOW) == 0)
                return 1;
        return errno == ENOENT ? 0 : error_set(err, -errno, "look at what changed");
}

/* Is it the overlay's mark of a deletion? Returns: 1, 0, negative errno */
static int is_whiteout(int dir, const char *name, const struct stat *st, Error *err) {
        autoclose int fd = -EBADF;
        SaveMarks marks;
        int r;

        if (S_ISCHR(st->st_mode) && st->st_rdev == 0)
                return 1;
        if (!S_ISREG(st->st_mode) || st->st_size > 0)
                return 0;
        fd = beneath_open(dir, name, O_RDONLY | O_NONBLOCK, 0);
        if (fd == -ENOENT)
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

static int walk(Changes *changes, const Place *place, unsigned depth, Error *err);

/* @had: what was there, @was; it is a directory now */
static int take_dir(Changes *changes, const Place *outer, const char *name, bool had,
                    const struct stat *was, unsigned depth, Error *err) {
        Place place = { .upper = beneath_dir(outer->upper, name), .old = -EBADF };
        SaveMarks marks;
        int r;

        if (place.upper == -ENOENT)
                return 0;
        r = place.upper < 0 ? place.upper : save_marks(place.upper, &marks);
        if (r >= 0 && had && S_ISDIR(was->st_mode)) {
                place.old = beneath_dir(outer->old, name);
                r = place.old < 0 ? place.old : 0;
                place.hidden = outer->hidden || (r >= 0 && marks.opaque);
        }
        r = r < 0 ? error_set(err, r, "open a directory that changed")
                  : walk(changes, &place, depth + 1, err);
        owned_close(&place.upper);
        owned_close(&place.old);
        return r;
}

static int take_item(Changes *changes, const Place *place, const char *name, unsigned depth,
                     Error *err) {
        struct stat now, was;
        int there = look(place->upper, name, &now, err);
        int had = there > 0 ? look(place->old, name, &was, err) : 0, gone, r = 0;

        if (there <= 0 || had < 0)
                return there <= 0 ? there : had;
        gone = is_whiteout(place->upper, name, &now, err);
        if (gone > 0)
                return had ? tell_deleted(changes, &was, err) : 0;
        if (gone < 0)
                return gone;
        if (!had)
                r = tell(changes, &now, NULL, err);
        else if (!S_ISDIR(now.st_mode) || !S_ISDIR(was.st_mode) || differ(&now, &was))
                r = tell(changes, &now, &was, err);
        return r < 0 || !S_ISDIR(now.st_mode)
                       ? r
                       : take_dir(changes, place, name, had, &was, depth, err);
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

static int walk(Changes *changes, const Place *place, unsigned depth, Error *err) {
        SCOPED(listing_free) Listing *items = NULL;
        size_t before;
        int r;

        if (depth > NAME_DEPTH_MAX)
                return too_deep(changes, RULE_NAME_DEPTH);
        r = listing_new(place->upper, &items);
        if (r < 0)
                return error_set(err, r, "list a directory that changed");
        for (unsigned i = 0; r >= 0 && i < items->n; i++) {
                if (depth == 0 && is_covered(changes, items->items[i].name))
                        continue;
                if (!go_down(changes, items->items[i].name, &before))
                        return too_deep(changes, RULE_NAME_LONG);
                changes->entries++;
                r = report_progress(changes->report, 0, changes->entries);
                if (r >= 0)
                        r = take_item(changes, place, items->items[i].name, depth, err);
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
        r = walk(changes, &root, 0, err);
        if (r >= 0)
                r = flush(changes, err);
        return r < 0 ? r
                     : report_numbers(report, RECORD_COUNTS,
                                      changes->n[CHANGE_ADDED] << 32 | changes->n[CHANGE_MODIFIED],
                                      changes->n[CHANGE_DELETED] << 32);
}

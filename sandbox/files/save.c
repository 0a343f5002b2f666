/* save: see save.h. */
#include "sandbox/files/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/spans.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/land-finish.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/save-xattrs.h"

#define CHUNK      (256u << 10)
#define INODES_MAX 2000000u

typedef struct Save {
        Land land;
        Report *report; /* borrowed */
        Table *inodes;  /* owned: files with several names, "DEV:INO"; same is what landed first */
        char *chunk;    /* owned */
        uint64_t bytes; /* read so far */
        uint64_t entries;
        int tree; /* borrowed; as SaveJob's, like the next */
        bool trim;
        bool is_alone; /* in a directory under which nothing of lower layers shows, so nothing need be hidden */
        char path[NAME_PATH_MAX];
} Save;

static int to_meta(Save *save, const struct stat *st, EntryKind kind, EntryMeta *ret_meta) {
        EntryMeta meta = { .kind = (uint8_t) kind,
                           .mode = (uint16_t) (st->st_mode & 07777),
                           .uid = st->st_uid,
                           .gid = st->st_gid,
                           .sec = st->st_mtim.tv_sec,
                           .nsec = (uint32_t) st->st_mtim.tv_nsec,
                           .size = kind == ENTRY_FILE ? (uint64_t) st->st_size : 0 };
        int r = 0;

        if (kind == ENTRY_WHITEOUT) /* nothing of it shows: all whiteouts are one */
                meta = (EntryMeta){ .kind = ENTRY_WHITEOUT };
        else if (kind != ENTRY_LINK && (meta.mode & 06000))
                r = report_note(save->report, RULE_SET_ID, save->path,
                                "its set-id bits were taken off");
        if (r >= 0)
                r = land_clean_meta(&save->land, save->path, &meta);
        *ret_meta = meta;
        return r;
}

static int copy_span(Save *save, int fd, Span span, Error *err) {
        int r = 0;

        while (r >= 0 && span.at < span.end) {
                uint64_t left = span.end - span.at;
                ssize_t n = pread(fd, save->chunk, left < CHUNK ? left : CHUNK, (off_t) span.at);

                if (n <= 0)
                        return error_set(err, n < 0 ? -errno : -EIO, "read a file of the upper");
                r = land_data(&save->land, span.at, save->chunk, (size_t) n, err);
                span.at += (uint64_t) n;
                save->bytes += (uint64_t) n;
                if (r >= 0)
                        r = report_progress(save->report, save->bytes, save->entries);
        }
        return r;
}

/* What is no data is passed over and stays a hole. */
static int copy_content(Save *save, int fd, uint64_t size, Error *err) {
        Span span = { 0, 0 };
        int r = 0;

        while (r >= 0 && span_next(fd, span.end, size, &span))
                r = copy_span(save, fd, span, err);
        return r;
}

static void format_inode(const struct stat *st, char *text, size_t n) {
        snprintf(text, n, "%llx:%llx", (unsigned long long) st->st_dev,
                 (unsigned long long) st->st_ino);
}

/* Has another name of this file landed? Returns: 1, it is a hard link now; 0; negative errno */
static int link_to_earlier(Save *save, const struct stat *st, Error *err) {
        const Entry *known;
        char inode[64];
        int r;

        if (st->st_nlink < 2)
                return 0;
        format_inode(st, inode, sizeof(inode));
        known = table_find(save->inodes, inode);
        if (!known)
                return 0;
        r = land_hard_link(&save->land, save->path, known->same->path, err);
        return r < 0 ? r : 1;
}

static int remember_inode(Save *save, const struct stat *st, Error *err) {
        const EntryMeta meta = { .kind = ENTRY_FILE };
        Entry *entry = NULL;
        char inode[64];
        int r;

        if (st->st_nlink < 2)
                return 0;
        format_inode(st, inode, sizeof(inode));
        r = table_add(save->inodes, inode, &meta, &entry);
        if (r < 0)
                return error_set(err, r, "remember a file with several names");
        entry->same = save->land.entry;
        return 0;
}

/* Is something there that a mark at this path can hide; where that is not known, there may be */
static bool may_hide(const Save *save, bool is_dir) {
        struct stat lower;
        int r;

        if (save->tree < 0 || (!save->trim && (is_dir || strncmp(save->path, "work/", 5) != 0)))
                return true;
        r = beneath_stat(save->tree, save->path, &lower);
        if (r < 0)
                return r != -ENOENT;
        return !is_dir || S_ISDIR(lower.st_mode);
}

static int whiteout(Save *save, const struct stat *st, Error *err) {
        EntryMeta meta;
        int r;

        /* an overlay shows the names of such marks where there is nothing that they hide */
        if (save->is_alone || !may_hide(save, false))
                return 0;
        r = to_meta(save, st, ENTRY_WHITEOUT, &meta);

        return r < 0 ? r : land_whiteout(&save->land, save->path, &meta, err);
}

static int redirected(Save *save) {
        return report_refuse(save->report, RULE_REDIRECT, save->path,
                             "the overlay keeps only a reference here, and its content elsewhere");
}

static int save_file(Save *save, int parent, const char *name, Error *err) {
        autoclose int fd = beneath_open(parent, name, O_RDONLY | O_NONBLOCK, 0);
        SaveMarks marks;
        EntryMeta meta;
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set(err, fd < 0 ? fd : -errno, "open a file of the upper");
        r = save_marks(fd, &marks);
        if (r < 0)
                return error_set(err, r, "read the overlay's marks");
        if (marks.whiteout)
                return whiteout(save, &st, err);
        if (marks.redirect)
                return redirected(save);
        r = link_to_earlier(save, &st, err);
        if (r != 0)
                return r < 0 ? r : 0;
        r = to_meta(save, &st, ENTRY_FILE, &meta);
        if (r >= 0)
                r = land_file(&save->land, save->path, &meta, err);
        if (r >= 0)
                r = save_xattrs(&save->land, fd, save->path, err);
        if (r >= 0)
                r = copy_content(save, fd, meta.size, err);
        if (r >= 0)
                r = land_file_end(&save->land, err);
        return r < 0 ? r : remember_inode(save, &st, err);
}

static int save_link(Save *save, int parent, const char *name, const struct stat *st, Error *err) {
        char target[NAME_PATH_MAX];
        EntryMeta meta;
        int r = link_to_earlier(save, st, err);

        if (r != 0)
                return r < 0 ? r : 0;
        r = beneath_read_link(parent, name, target);
        if (r < 0)
                return error_set(err, r, "read a link of the upper");
        r = to_meta(save, st, ENTRY_LINK, &meta);
        if (r >= 0)
                r = land_link(&save->land, save->path, target, &meta, err);
        return r < 0 ? r : remember_inode(save, st, err);
}

static int save_node(Save *save, int parent, const char *name, Error *err) {
        struct stat st;

        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set(err, -errno, "look at an object of the upper");
        if (S_ISREG(st.st_mode))
                return save_file(save, parent, name, err);
        if (S_ISLNK(st.st_mode))
                return save_link(save, parent, name, &st, err);
        if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
                return whiteout(save, &st, err);
        return report_note(save->report, RULE_SPECIAL_FILE, save->path,
                           "a device, a fifo or a socket: it was left out");
}

/* One directory of the walk: of the upper, of the layer below it, or of both. What is there in both is the upper's */
typedef struct Pair {
        int top;   /* owned, as the next: the upper's, or the layer's where the upper has none */
        int below; /* -EBADF: nothing of the layer shows here */
        bool hides; /* it took the place of something that is no directory, and so hides what lies still lower */
        bool alone; /* it, or one above it, hides that */
} Pair;

static int save_dir(Save *save, const Pair *pair, unsigned depth, Error *err);

/* What of the layer below lies under the directory @name of the upper */
static int open_below(int below, const char *name, Pair *pair, Error *err) {
        struct stat st;

        if (below < 0)
                return 0;
        if (fstatat(below, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : error_set(err, -errno, "look at the layer below");
        pair->hides = !S_ISDIR(st.st_mode);
        if (pair->hides)
                return 0;
        pair->below = beneath_dir(below, name);
        return pair->below < 0 ? error_set(err, pair->below, "open a directory of the layer below")
                               : 0;
}

static int save_item(Save *save, const Pair *dir, const ListingItem *item, unsigned depth,
                     Error *err) {
        Pair pair = { .top = -EBADF, .below = -EBADF, .alone = dir->alone };
        char clean[NAME_PATH_MAX];
        RecordRule rule = name_clean(save->path, strlen(save->path), clean);
        int r;

        save->entries++;
        if (rule != RULE_NONE)
                return report_note(save->report, rule, save->path, "left out: %s",
                                   name_sentence(rule));
        r = report_progress(save->report, save->bytes, save->entries);
        if (r < 0)
                return r;
        save->is_alone = dir->alone;
        if (!item->is_dir)
                return save_node(save, dir->top, item->name, err);
        pair.top = beneath_dir(dir->top, item->name);
        if (pair.top < 0)
                return error_set(err, pair.top, "open a directory of the upper");
        r = open_below(dir->below, item->name, &pair, err);
        if (r >= 0)
                r = save_dir(save, &pair, depth + 1, err);
        owned_close(&pair.top);
        owned_close(&pair.below);
        return r;
}

/* What is in the directory @dir->top, but for names that @taken has. */
static int save_items(Save *save, const Pair *dir, const Listing *taken, unsigned depth,
                      Error *err) {
        SCOPED(listing_free) Listing *list = NULL;
        size_t n = strlen(save->path);
        int r = listing_new(dir->top, &list);

        if (r < 0)
                return error_set(err, r, "list a directory of the upper");
        for (unsigned i = 0; r >= 0 && i < list->n; i++) {
                save->path[n] = 0;
                if (taken && listing_find(taken, list->items[i].name))
                        continue;
                if (!name_join(save->path, save->path, list->items[i].name))
                        return report_refuse(save->report, RULE_NAME_LONG, save->path, "%s",
                                             name_sentence(RULE_NAME_LONG));
                r = save_item(save, dir, &list->items[i], depth, err);
        }
        save->path[n] = 0;
        return r;
}

/* Does the directory hide what layers still lower have? Returns: 0 and @ret_below, what of the layer shows */
static int read_marks(Save *save, const Pair *pair, bool *ret_opaque, int *ret_below, Error *err) {
        SaveMarks top, below = { 0 };
        int r = save_marks(pair->top, &top);

        if (r >= 0 && pair->below >= 0)
                r = save_marks(pair->below, &below);
        if (r < 0)
                return error_set(err, r, "read the overlay's marks");
        if (top.redirect)
                return redirected(save);
        *ret_opaque = top.opaque || below.opaque || pair->hides;
        *ret_below = top.opaque ? -EBADF : pair->below;
        return 0;
}

static int save_contents(Save *save, const Pair *pair, int below, unsigned depth, Error *err) {
        SCOPED(listing_free) Listing *taken = NULL;
        const Pair upper = { .top = pair->top, .below = below, .alone = pair->alone };
        const Pair layer = { .top = below, .below = -EBADF, .alone = pair->alone };
        int r = save_items(save, &upper, NULL, depth, err);

        if (r < 0 || below < 0)
                return r;
        r = listing_new(pair->top, &taken);
        return r < 0 ? error_set(err, r, "list a directory of the upper")
                     : save_items(save, &layer, taken, depth, err);
}

/* The directory itself, and all that is in it. */
static int save_dir(Save *save, const Pair *pair, unsigned depth, Error *err) {
        Pair inner = *pair; /* the same descriptors */
        EntryMeta meta;
        struct stat st;
        bool opaque = false;
        int below = -EBADF, r;

        if (depth > NAME_DEPTH_MAX)
                return report_refuse(save->report, RULE_NAME_DEPTH, save->path, "%s",
                                     name_sentence(RULE_NAME_DEPTH));
        if (fstat(pair->top, &st) < 0)
                return error_set(err, -errno, "look at a directory of the upper");
        r = read_marks(save, pair, &opaque, &below, err);
        if (r >= 0)
                r = to_meta(save, &st, ENTRY_DIR, &meta);
        if (r >= 0)
                r = land_dir(&save->land, save->path, &meta, err);
        if (r >= 0 && opaque && depth > 0 && may_hide(save, true))
                r = land_opaque(&save->land, save->path, err);
        if (r >= 0)
                r = save_xattrs(&save->land, pair->top, save->path, err);
        inner.alone = pair->alone || (opaque && depth > 0);
        return r < 0 ? r : save_contents(save, &inner, below, depth, err);
}

int save_run(const SaveJob *job, Report *report, Error *err) {
        autofree Save *save = calloc(1, sizeof(*save));
        int r;

        if (!save)
                return error_set(err, -ENOMEM, "start to save");
        save->report = report;
        save->tree = job->tree;
        save->trim = job->trim;
        save->chunk = malloc(CHUNK);
        r = save->chunk ? land_init(&save->land, job->out, &job->limits, report) : -ENOMEM;
        if (r >= 0)
                r = table_new(INODES_MAX, &save->inodes);
        if (r < 0)
                r = error_set(err, r, "start to save");
        else
                r = save_dir(save, &(Pair){ .top = job->upper, .below = job->below }, 0, err);
        if (r >= 0)
                r = land_finish(&save->land, err);
        land_deinit(&save->land);
        table_free(save->inodes);
        free(save->chunk);
        return r < 0 && err->code == 0 && !report->refused ? error_set(err, r, "write a record")
                                                           : r;
}

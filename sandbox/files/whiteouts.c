/* whiteouts: see whiteouts.h. */
#include "sandbox/files/whiteouts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/files/beneath.h"
#include "sandbox/files/listing.h"

#define MARK        ".wh."
#define MARK_OPAQUE ".wh..wh..opq"
#define MARK_OTHER  ".wh..wh." /* what one engine kept beside its layers: nothing of the tree */

static const EntryMeta whiteout_meta = { .kind = ENTRY_WHITEOUT };

int whiteouts_init(Whiteouts *whiteouts, Land *land, int below) {
        *whiteouts = (Whiteouts){ .land = land, .below = below };
        return table_new(land->limits.entries, &whiteouts->marks);
}

void whiteouts_deinit(Whiteouts *whiteouts) {
        whiteouts->marks = table_free(whiteouts->marks);
}

/* ---- while the archive is read -------------------------------------------------------------------- */

/* In the table of marks, ENTRY_WHITEOUT says that the path is deleted, ENTRY_DIR that it is opaque alone. */
static int keep(Whiteouts *whiteouts, const char *path, EntryKind kind, Error *err) {
        Entry *entry = table_find(whiteouts->marks, path);
        const EntryMeta meta = { .kind = (uint8_t) kind };
        int r = 0;

        if (!entry)
                r = table_add(whiteouts->marks, path, &meta, &entry);
        else if (kind == ENTRY_WHITEOUT)
                entry->meta.kind = ENTRY_WHITEOUT;
        if (r == -E2BIG)
                return report_refuse(whiteouts->land->report, RULE_TOO_MANY_ENTRIES, path,
                                     "more marks of deletions than entries are allowed");
        return r < 0 ? error_set(err, r, "remember a whiteout") : 1;
}

int whiteouts_take(Whiteouts *whiteouts, const char *path, Error *err) {
        const char *leaf = name_leaf(path), *name = leaf + strlen(MARK);
        char target[NAME_PATH_MAX];
        size_t n = leaf == path ? 0 : (size_t) (leaf - path) - 1;

        if (strncmp(leaf, MARK, strlen(MARK)) != 0)
                return 0;
        memcpy(target, path, n);
        target[n] = 0;
        if (strcmp(leaf, MARK_OPAQUE) == 0)
                return keep(whiteouts, target, ENTRY_DIR, err);
        if (strncmp(leaf, MARK_OTHER, strlen(MARK_OTHER)) == 0)
                return 0;
        if (!*name || strcmp(name, ".") == 0)
                return report_refuse(whiteouts->land->report, RULE_NAME_EMPTY, path,
                                     "the mark of a deletion names nothing");
        if (strcmp(name, "..") == 0)
                return report_refuse(whiteouts->land->report, RULE_NAME_DOTDOT, path,
                                     "the mark would delete \"..\", which leads out of the tree");
        return name_join(target, target, name) ? keep(whiteouts, target, ENTRY_WHITEOUT, err)
                                               : -ENAMETOOLONG;
}

/* ---- the layers below ----------------------------------------------------------------------------- */

static int through_link(Whiteouts *whiteouts, const char *path) {
        return report_refuse(
                whiteouts->land->report, RULE_THROUGH_LINK, path,
                "a layer below has a link on the way to it, and links are not followed");
}

/* Which component of a path that is not there stands in the way? Returns: -ELOOP a link, else -ENOENT */
static int why_missing(int below, const char *path) {
        char part[NAME_PATH_MAX];
        struct stat st;

        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                memcpy(part, path, (size_t) (slash - path));
                part[slash - path] = 0;
                if (beneath_stat(below, part, &st) < 0)
                        return -ENOENT;
                if (S_ISLNK(st.st_mode))
                        return -ELOOP;
        }
        return -ENOENT;
}

/* What lies at @path below. Returns: 1, 0 nothing, negative errno (refused: a link on the way) */
static int look_below(Whiteouts *whiteouts, const char *path, struct stat *ret_stat, Error *err) {
        int r = whiteouts->below < 0 ? -ENOENT : beneath_stat(whiteouts->below, path, ret_stat);

        if (r == -ENOENT && whiteouts->below >= 0)
                r = why_missing(whiteouts->below, path);
        if (r == -ENOENT)
                return 0;
        if (r == -ELOOP)
                return through_link(whiteouts, path);
        return r < 0 ? error_set(err, r, "look at the layers below") : 1;
}

/* ---- when all has landed -------------------------------------------------------------------------- */

static int make_opaque(Whiteouts *whiteouts, Entry *entry, const struct stat *below, Error *err) {
        if (!S_ISDIR(below->st_mode) || (entry->meta.flags & ENTRY_OPAQUE))
                return 0;
        whiteouts->land->entry = entry;
        return land_opaque(whiteouts->land, entry->path, err);
}

/* The directory is opaque, but no entry names it and none lies in it. */
static int make_opaque_dir(Whiteouts *whiteouts, const char *path, const struct stat *below,
                           Error *err) {
        const EntryMeta meta = { .kind = ENTRY_DIR, .mode = 0755, .flags = ENTRY_IMPLICIT };
        int r;

        if (S_ISLNK(below->st_mode))
                return through_link(whiteouts, path);
        if (!S_ISDIR(below->st_mode))
                return 0;
        r = land_dir(whiteouts->land, path, &meta, err);
        return r < 0 ? r : make_opaque(whiteouts, whiteouts->land->entry, below, err);
}

/* Hide what lies below at @path, which is there; this layer's own stays. */
static int hide(Whiteouts *whiteouts, const char *path, const struct stat *below, Error *err) {
        Entry *entry = table_find(whiteouts->land->table, path);

        if (!entry)
                return land_whiteout(whiteouts->land, path, &whiteout_meta, err);
        return entry->meta.kind == ENTRY_DIR ? make_opaque(whiteouts, entry, below, err) : 0;
}

/* An overlay merges the roots of all its layers, whatever they are marked with: each name is hidden. */
static int hide_root(Whiteouts *whiteouts, Error *err) {
        SCOPED(listing_free) Listing *list = NULL;
        autoclose int fd = whiteouts->below < 0 ? -EBADF : beneath_dir(whiteouts->below, "");
        struct stat st;
        int r;

        if (whiteouts->below < 0)
                return 0;
        r = fd < 0 ? fd : listing_new(fd, &list);
        if (r < 0)
                return error_set(err, r, "list the layers below");
        for (unsigned i = 0; i < list->n && r >= 0; i++) {
                r = look_below(whiteouts, list->items[i].name, &st, err);
                if (r > 0)
                        r = hide(whiteouts, list->items[i].name, &st, err);
        }
        return r;
}

/* Is a directory above hidden as a whole, so that nothing of below is left there to hide? */
static bool hidden_above(const Whiteouts *whiteouts, const char *path) {
        char part[NAME_PATH_MAX];

        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                const Entry *entry;

                memcpy(part, path, (size_t) (slash - path));
                part[slash - path] = 0;
                entry = table_find(whiteouts->land->table, part);
                if (entry && entry->meta.kind == ENTRY_DIR && (entry->meta.flags & ENTRY_OPAQUE))
                        return true;
        }
        return false;
}

static int land_mark(Whiteouts *whiteouts, const Entry *mark, Error *err) {
        const Entry *entry = table_find(whiteouts->land->table, mark->path);
        bool opaque = mark->meta.kind == ENTRY_DIR;
        struct stat st;
        int r;

        if (!*mark->path)
                return hide_root(whiteouts, err);
        if (opaque && entry && entry->meta.kind != ENTRY_DIR)
                return report_refuse(whiteouts->land->report, RULE_THROUGH_LINK, mark->path,
                                     "what is marked as an opaque directory is no directory");
        if (hidden_above(whiteouts, mark->path))
                return 0;
        r = look_below(whiteouts, mark->path, &st, err);
        if (r <= 0)
                return r;
        return opaque && !entry ? make_opaque_dir(whiteouts, mark->path, &st, err)
                                : hide(whiteouts, mark->path, &st, err);
}

static int inherit(Whiteouts *whiteouts, Entry *entry, Error *err) {
        struct stat st;
        int r = look_below(whiteouts, entry->path, &st, err);

        if (r <= 0)
                return r;
        if (S_ISLNK(st.st_mode))
                return through_link(whiteouts, entry->path);
        if (!S_ISDIR(st.st_mode))
                return 0;
        entry->meta.mode = (uint16_t) (st.st_mode & 01777);
        entry->meta.uid = st.st_uid;
        entry->meta.gid = st.st_gid;
        entry->meta.sec = st.st_mtim.tv_sec;
        entry->meta.nsec = (uint32_t) st.st_mtim.tv_nsec;
        return 0;
}

/* In the order of paths, so that what is above is known to be hidden, and any order of an archive is one. */
int whiteouts_land(Whiteouts *whiteouts, Error *err) {
        autofree Entry **marks = NULL, **entries = NULL;
        uint64_t i, n;
        int r = table_sorted(whiteouts->marks, &marks);

        if (r < 0)
                return error_set(err, r, "sort the whiteouts");
        n = table_count(whiteouts->marks);
        for (i = 0; i < n && r >= 0; i++)
                r = land_mark(whiteouts, marks[i], err);
        if (r < 0)
                return r;
        r = table_sorted(whiteouts->land->table, &entries);
        if (r < 0)
                return error_set(err, r, "sort the entries of the layer");
        n = table_count(whiteouts->land->table);
        for (i = 0; i < n && r >= 0; i++)
                if (entries[i]->meta.flags & ENTRY_IMPLICIT)
                        r = inherit(whiteouts, entries[i], err);
        return r;
}

/*
 * shield: see shield.h. Content is copied: a layer of an overlay cannot give the file of a lower one to
 * somebody else without it.
 */
#include "sandbox/files/shield.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "sandbox/files/beneath.h"
#include "sandbox/files/fingerprint.h"
#include "sandbox/files/hold.h"
#include "sandbox/files/land-finish.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/save-xattrs.h"

#define CHUNK (128u << 10)

typedef struct Shield {
        Report *report; /* borrowed */
        Protect protect;
        Land land;
        char *chunk;              /* owned */
        char path[NAME_PATH_MAX]; /* of the item, in the layer */
        size_t base;              /* how much of it stands before the path in the base */
        uint64_t bytes;
        uint64_t entries;
} Shield;

static EntryMeta meta_of(const struct stat *st, EntryKind kind, mode_t mode) {
        return (EntryMeta){ .kind = (uint8_t) kind,
                            .mode = (uint16_t) mode,
                            .sec = st->st_mtim.tv_sec,
                            .nsec = (uint32_t) st->st_mtim.tv_nsec,
                            .size = kind == ENTRY_FILE ? (uint64_t) st->st_size : 0 };
}

static int copy_content(Shield *shield, int fd, Error *err) {
        uint64_t at = 0;
        ssize_t n;
        int r = 0;

        while (r >= 0 && (n = read(fd, shield->chunk, CHUNK)) != 0) {
                if (n < 0)
                        return error_set(err, -errno, "read a file of the base");
                r = land_data(&shield->land, at, shield->chunk, (size_t) n, err);
                at += (uint64_t) n;
        }
        shield->bytes += at;
        return r;
}

static int take_file(Shield *shield, int dir, const char *name, Error *err) {
        autoclose int fd = beneath_open(dir, name, O_RDONLY | O_NONBLOCK, 0);
        struct stat st;
        EntryMeta meta;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set(err, fd < 0 ? fd : -errno, "open a file of the base");
        if (!S_ISREG(st.st_mode))
                return 0;
        meta = meta_of(&st, ENTRY_FILE, hold_mode(st.st_mode));
        r = land_file(&shield->land, shield->path, &meta, err);
        if (r >= 0)
                r = save_xattrs(&shield->land, fd, shield->path, err);
        if (r >= 0)
                r = copy_content(shield, fd, err);
        return r < 0 ? r : land_file_end(&shield->land, err);
}

static int take_link(Shield *shield, int dir, const char *name, Error *err) {
        char target[NAME_PATH_MAX];
        struct stat st;
        EntryMeta meta;
        int r = beneath_stat(dir, name, &st);

        if (r >= 0)
                r = beneath_read_link(dir, name, target);
        if (r < 0)
                return error_set(err, r, "read a link of the base");
        meta = meta_of(&st, ENTRY_LINK, st.st_mode & 0777);
        return land_link(&shield->land, shield->path, target, &meta, err);
}

static int take_dir(Shield *shield, int dir, unsigned depth, Error *err);

/* Returns: 1 where it or something below it is protected, 0, or negative errno */
static int take_item(Shield *shield, int dir, const ListingItem *item, unsigned depth, Error *err) {
        autoclose int below = -EBADF;
        int r;

        if (strcasecmp(item->name, ".git") == 0)
                return 0;
        if (item->is_dir) {
                if (depth >= NAME_DEPTH_MAX)
                        return 0;
                below = beneath_dir(dir, item->name);
                return below < 0 ? error_set(err, below, "open a directory of the base")
                                 : take_dir(shield, below, depth + 1, err);
        }
        if (!protect_holds(&shield->protect, shield->path + shield->base))
                return 0;
        shield->entries++;
        r = item->type == DT_LNK ? take_link(shield, dir, item->name, err)
                                 : take_file(shield, dir, item->name, err);
        if (r >= 0)
                r = report_progress(shield->report, shield->bytes, shield->entries);
        return r < 0 ? r : 1;
}

/* The directory itself comes last: only then it is known whether it is on the way to a protected file. */
static int land_held(Shield *shield, int dir, Error *err) {
        struct stat st;
        EntryMeta meta;
        int r;

        if (fstat(dir, &st) < 0)
                return error_set(err, -errno, "look at a directory of the base");
        meta = meta_of(&st, ENTRY_DIR, HOLD_DIRECTORY_MODE);
        r = land_dir(&shield->land, shield->path, &meta, err);
        return r < 0 ? r : save_xattrs(&shield->land, dir, shield->path, err);
}

static int take_dir(Shield *shield, int dir, unsigned depth, Error *err) {
        SCOPED(listing_free) Listing *list = NULL;
        size_t n = strlen(shield->path);
        int r = listing_new(dir, &list);
        bool held = false;

        if (r < 0)
                return error_set(err, r, "list a directory of the base");
        for (unsigned i = 0; i < list->n && r >= 0; i++) {
                shield->path[n] = 0;
                if (!name_join(shield->path, shield->path, list->items[i].name))
                        return error_set(err, -ENAMETOOLONG, "take in a path of the base");
                r = take_item(shield, dir, &list->items[i], depth, err);
                held |= r > 0;
        }
        shield->path[n] = 0;
        if (r >= 0 && held)
                r = land_held(shield, dir, err);
        return r < 0 ? r : held;
}

static int make_layer(Shield *shield, const ShieldJob *job, Error *err) {
        int r = land_init(&shield->land, job->out, &job->limits, shield->report);

        if (r < 0 || !(shield->chunk = malloc(CHUNK)))
                return error_set(err, r < 0 ? r : -ENOMEM, "start a layer");
        if (!name_join(shield->path, "", job->prefix))
                return error_say(err, -EINVAL, "\"%s\" is no directory beneath the layer",
                                 job->prefix);
        shield->base = *job->prefix ? strlen(job->prefix) + 1 : 0;
        r = take_dir(shield, job->old, 0, err);
        return r < 0 ? r : land_finish(&shield->land, err);
}

int shield_run(const ShieldJob *job, Report *report, Error *err) {
        autofree Shield *shield = calloc(1, sizeof(*shield));
        int r;

        if (!shield)
                return error_set(err, -ENOMEM, "start a layer");
        shield->report = report;
        shield->protect = (Protect){ .old = job->old,
                                     .tree = -EBADF,
                                     .setup = -EBADF,
                                     .protect = &job->protect,
                                     .allow = &job->allow,
                                     .report = report };
        r = fingerprint_list(job->old, job->listing, err);
        if (r >= 0)
                r = make_layer(shield, job, err);
        land_deinit(&shield->land);
        free(shield->chunk);
        return r < 0 && err->code == 0 && !report->refused ? error_set(err, r, "write a record")
                                                           : r;
}

/* setup-key: see setup-key.h. */
#include "sandbox/files/setup-key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/glob.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/names.h"
#include "sandbox/files/save-xattrs.h"
#include "sandbox/files/side.h"

typedef struct KeyWalk {
        int base;     /* borrowed */
        Globs globs;  /* of one option */
        Digest *into; /* owned */
        unsigned n;   /* matches of these globs */
        char path[NAME_PATH_MAX];
} KeyWalk;

/* ---- the files of the key ------------------------------------------------------------------------ */

static int digest_content(const KeyWalk *walk, bool is_link, uint8_t *ret) {
        char target[NAME_PATH_MAX];
        autoclose int fd = -EBADF;
        int n;

        if (is_link) {
                n = beneath_read_link(walk->base, walk->path, target);
                if (n >= 0)
                        digest_of(target, (size_t) n, ret);
                return n < 0 ? n : 0;
        }
        fd = beneath_open(walk->base, walk->path, O_RDONLY | O_NONBLOCK, 0);
        return fd < 0 ? fd : digest_of_fd(fd, ret, NULL);
}

static int take_path(KeyWalk *walk) {
        uint8_t content[DIGEST_SIZE];
        char mode[16];
        struct stat st;
        unsigned bits;
        int r = beneath_stat(walk->base, walk->path, &st);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        bits = side_mode(&st);
        if (bits == 0) /* a directory, or what no repository holds */
                return 0;
        r = digest_content(walk, bits == PATCH_MODE_LINK, content);
        if (r < 0)
                return r;
        (void) snprintf(mode, sizeof(mode), "%06o ", bits);
        digest_add(walk->into, mode, strlen(mode));
        digest_add(walk->into, walk->path, strlen(walk->path) + 1);
        digest_add(walk->into, content, sizeof(content));
        walk->n++;
        return 0;
}

static int walk_dir(KeyWalk *walk, int dir, unsigned depth) {
        SCOPED(listing_free) Listing *list = NULL;
        size_t n = strlen(walk->path);
        int r = depth > NAME_DEPTH_MAX ? -ENAMETOOLONG : listing_new(dir, &list);

        for (unsigned i = 0; r >= 0 && i < list->n; i++) {
                autoclose int below = -EBADF;

                walk->path[n] = 0;
                if (!name_join(walk->path, walk->path, list->items[i].name))
                        return -ENAMETOOLONG;
                if (list->items[i].is_dir) {
                        below = beneath_dir(dir, list->items[i].name);
                        r = below < 0 ? below : walk_dir(walk, below, depth + 1);
                } else if (globs_match(&walk->globs, walk->path)) {
                        r = take_path(walk);
                }
        }
        walk->path[n] = 0;
        return r;
}

/* A name without a pattern needs no walk. The schema of a spec has bounded its length. */
static int take_glob(KeyWalk *walk, const char *glob, Error *err) {
        char clean[NAME_PATH_MAX];
        int r;

        walk->n = 0;
        digest_add(walk->into, glob, strlen(glob) + 1);
        if (!glob[strcspn(glob, "*?[{\\")]) {
                if (name_clean(glob, strlen(glob), clean) != RULE_NONE)
                        return error_say(err, -EINVAL, "\"%.200s\" is no path of the base", glob);
                (void) snprintf(walk->path, sizeof(walk->path), "%s", clean);
                r = take_path(walk);
        } else {
                walk->path[0] = 0;
                r = globs_add(&walk->globs, glob, err);
                if (r >= 0)
                        r = walk_dir(walk, walk->base, 0);
                globs_deinit(&walk->globs);
                walk->globs = GLOBS_EMPTY;
        }
        return r < 0 && err->code == 0 ? error_set(err, r, "read the files of the key") : r;
}

int setup_key_digest(int base, const OptionList *globs, Report *report, Error *err) {
        autofree KeyWalk *walk = calloc(1, sizeof(*walk));
        SCOPED(digest_free) Digest *digest = NULL;
        uint8_t value[DIGEST_SIZE];
        bool all = true;
        int r = walk ? digest_new(&digest) : -ENOMEM;

        if (r < 0)
                return error_set(err, r, "read the files of the key");
        walk->base = base;
        walk->into = digest;
        for (unsigned i = 0; r >= 0 && i < globs->n; i++) {
                r = take_glob(walk, globs->items[i], err);
                all = all && walk->n > 0;
        }
        if (r < 0 || !all)
                return r;
        digest_end(digest, value);
        return report_digest(report, DIGEST_TREE, value);
}

/* ---- what a layer would hide --------------------------------------------------------------------- */

typedef struct HideWalk {
        int base; /* borrowed, like report */
        Report *report;
        bool found;
        char path[NAME_PATH_MAX];
} HideWalk;

static int found(HideWalk *walk) {
        walk->found = true;
        return report_path(walk->report, RECORD_PATH, PATH_MODIFIED, 0, walk->path);
}

static int look_at_dir(HideWalk *walk, int dir, unsigned depth);

/* Only where the base has something of that name does it matter what the layer has */
static int look_at_item(HideWalk *walk, int dir, const ListingItem *item, unsigned depth) {
        autoclose int below = -EBADF;
        struct stat st;
        int r = beneath_stat(walk->base, walk->path, &st);

        if (r < 0)
                return r == -ENOENT || r == -ENOTDIR || r == -ELOOP ? 0 : r;
        if (!item->is_dir || !S_ISDIR(st.st_mode))
                return found(walk);
        below = beneath_dir(dir, item->name);
        return below < 0 ? below : look_at_dir(walk, below, depth + 1);
}

static int look_at_dir(HideWalk *walk, int dir, unsigned depth) {
        SCOPED(listing_free) Listing *list = NULL;
        size_t n = strlen(walk->path);
        SaveMarks marks = { 0 };
        int r = depth > NAME_DEPTH_MAX ? -ENAMETOOLONG : save_marks(dir, &marks);

        if (r >= 0 && (marks.opaque || marks.redirect))
                return found(walk);
        if (r >= 0)
                r = listing_new(dir, &list);
        for (unsigned i = 0; r >= 0 && list && !walk->found && i < list->n; i++) {
                walk->path[n] = 0;
                if (!name_join(walk->path, walk->path, list->items[i].name))
                        return -ENAMETOOLONG;
                r = look_at_item(walk, dir, &list->items[i], depth);
        }
        walk->path[n] = 0;
        return r;
}

int setup_key_hides(int base, int layer, Report *report, Error *err) {
        autofree HideWalk *walk = calloc(1, sizeof(*walk));
        int r;

        if (!walk)
                return error_set(err, -ENOMEM, "hold setup's layer against the base");
        walk->base = base;
        walk->report = report;
        r = look_at_dir(walk, layer, 0);
        return r < 0 ? error_set(err, r, "hold setup's layer against the base") : 0;
}

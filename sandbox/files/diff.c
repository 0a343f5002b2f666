/* diff: see diff.h. */
#include "sandbox/files/diff.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/hunks.h"
#include "sandbox/files/ignore.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/names.h"
#include "sandbox/files/side.h"

#define PIECE_MAX (512u << 20) /* of the patch of one path */

typedef struct Diff {
        DiffJob job;
        Report *report; /* borrowed */
        DiffTakeFn take;
        void *userdata; /* of take */
} Diff;

typedef struct Writing { /* of a patch */
        int out;
        Report *report; /* borrowed */
        Digest *digest; /* owned */
        uint64_t bytes;
        uint64_t paths;
} Writing;

/* One directory of the walk, in all three trees. A tree that has no such directory has an empty list. */
typedef struct Level {
        const char *path; /* borrowed; "" at the top */
        unsigned depth;
        bool left_out; /* the base's .gitignore leaves this directory out: what is new in it does not count */
        const IgnoreFile *ignore; /* borrowed */
        Listing *old;             /* owned, as the next two */
        Listing *new;
        Listing *upper; /* NULL where the upper has no such directory */
} Level;

static int write_piece(Writing *writing, Buf *piece, Error *err) {
        int r;

        if (piece->len == 0)
                return 0;
        digest_add(writing->digest, piece->data, piece->len);
        writing->bytes += piece->len;
        r = fd_write_all(writing->out, piece->data, piece->len);
        return r < 0 ? error_set(err, r, "write the patch") : 0;
}

static PathChange change_of(const PatchSide *old, const PatchSide *new) {
        bool same = old->content.n == new->content.n &&
                    (new->content.n == 0 ||
                     memcmp(old->content.bytes, new->content.bytes, new->content.n) == 0);

        if (old->mode == 0)
                return PATH_ADDED;
        if (new->mode == 0)
                return PATH_DELETED;
        return same ? PATH_MODE : PATH_MODIFIED;
}

/* The change of one path between two sides, one of which may be nothing. */
static int write_sides(Writing *writing, const char *path, const PatchSide *old,
                       const PatchSide *new, Error *err) {
        Buf piece = BUF_EMPTY(PIECE_MAX);
        int r = patch_write(&piece, path, old, new, err);

        if (r == -ENOBUFS)
                r = report_refuse(writing->report, RULE_FILE_SIZE, path,
                                  "its change is too large for a patch");
        if (r >= 0 && piece.len > 0) {
                writing->paths++;
                r = report_path(writing->report, RECORD_PATH, change_of(old, new), new->mode, path);
        }
        if (r >= 0)
                r = write_piece(writing, &piece, err);
        buf_deinit(&piece);
        return r < 0 ? r : report_progress(writing->report, writing->bytes, writing->paths);
}

/* A change of type is two changes, as in git. */
static int write_change(const char *path, const PatchSide *old, const PatchSide *new,
                        void *userdata, Error *err) {
        const PatchSide nothing = { 0 };
        Writing *writing = userdata;
        int r;

        if (old->mode == 0 || new->mode == 0 ||
            (old->mode == PATCH_MODE_LINK) == (new->mode == PATCH_MODE_LINK))
                return write_sides(writing, path, old, new, err);
        r = write_sides(writing, path, old, &nothing, err);
        return r < 0 ? r : write_sides(writing, path, &nothing, new, err);
}

static int read_side(Diff *diff, int dir, const char *path, PatchSide *ret_side, char **ret_bytes,
                     Error *err) {
        int r = side_read(dir, path, ret_side, ret_bytes);

        if (r == -EFBIG)
                return report_refuse(diff->report, RULE_FILE_SIZE, path,
                                     "it changed and is larger than %u MiB, too large for a patch; "
                                     "name it in .gitignore if it is a product of the build",
                                     PATCH_FILE_MAX >> 20);
        return r < 0 ? error_set(err, r, "read a file of the tree") : 0;
}

/* A name that both trees have, and neither as a directory. */
static int diff_file(Diff *diff, const char *path, Error *err) {
        autofree char *old_bytes = NULL, *new_bytes = NULL;
        PatchSide old = { 0 }, new = { 0 };
        struct stat old_st, new_st;
        int r = 0;

        if (beneath_stat(diff->job.old, path, &old_st) == 0 &&
            beneath_stat(diff->job.new, path, &new_st) == 0 && S_ISREG(old_st.st_mode) &&
            side_mode(&old_st) == side_mode(&new_st) && old_st.st_size == new_st.st_size)
                r = side_same(diff->job.old, diff->job.new, path);
        if (r != 0)
                return r < 0 ? error_set(err, r, "compare a file of the trees") : 0;
        r = read_side(diff, diff->job.old, path, &old, &old_bytes, err);
        if (r >= 0)
                r = read_side(diff, diff->job.new, path, &new, &new_bytes, err);
        if (r < 0 || (old.mode == 0 && new.mode == 0))
                return r;
        return diff->take(path, &old, &new, diff->userdata, err);
}

static int diff_one_side(Diff *diff, const char *path, bool is_new, Error *err) {
        autofree char *bytes = NULL;
        const PatchSide nothing = { 0 };
        PatchSide side = { 0 };
        int r = read_side(diff, is_new ? diff->job.new : diff->job.old, path, &side, &bytes, err);

        if (r < 0 || side.mode == 0)
                return r;
        return is_new ? diff->take(path, &nothing, &side, diff->userdata, err)
                      : diff->take(path, &side, &nothing, diff->userdata, err);
}

static bool may_hold(const ListingItem *item) {
        return item->is_dir || item->type == DT_REG || item->type == DT_LNK;
}

/* May a path that only the new tree has be in a patch? Returns: 1, 0 (noted where it matters), negative errno */
static int may_add(Diff *diff, const Level *level, const char *path, const ListingItem *item) {
        char clean[NAME_PATH_MAX];
        RecordRule rule = name_clean(path, strlen(path), clean);
        int r = 0;

        if (level->left_out || ignore_matches(level->ignore, path, item->is_dir))
                return 0;
        if (diff->job.quiet && (rule != RULE_NONE || !may_hold(item)))
                return 0;
        if (rule != RULE_NONE)
                r = report_note(diff->report, rule, path, "left out of the patch: %s",
                                name_sentence(rule));
        else if (!may_hold(item))
                r = report_note(diff->report, RULE_SPECIAL_FILE, path,
                                "left out of the patch: a patch holds files and links only");
        else
                return 1;
        return r;
}

static int walk(Diff *diff, const Level *outer, const char *path, bool left_out, Error *err);

/* @old and @new: the item of this name and kind in either tree, NULL where there is none. */
static int diff_item(Diff *diff, const Level *level, const ListingItem *old, const ListingItem *new,
                     Error *err) {
        const ListingItem *item = old ? old : new;
        char path[NAME_PATH_MAX];
        bool left_out = level->left_out;
        int r = 1;

        /* cppcheck-suppress nullPointerRedundantCheck ; diff_level() has an item in one tree or both */
        if (strcasecmp(item->name, ".git") == 0) /* NOLINT(clang-analyzer-core.NullDereference) */
                return 0;
        if (old && new && level->upper && !listing_find(level->upper, item->name))
                return 0;
        if (!name_join(path, level->path, item->name) || level->depth >= NAME_DEPTH_MAX)
                return report_refuse(diff->report, RULE_NAME_DEPTH, path, "%s",
                                     name_sentence(RULE_NAME_DEPTH));
        if (!old)
                r = may_add(diff, level, path, new);
        if (r <= 0)
                return r;
        if (item->is_dir) {
                left_out |= ignore_matches(level->ignore, path, true);
                return walk(diff, level, path, left_out, err);
        }
        return old && new ? diff_file(diff, path, err) : diff_one_side(diff, path, !old, err);
}

static int diff_level(Diff *diff, const Level *level, Error *err) {
        unsigned i = 0, j = 0;
        int r = 0;

        while (r >= 0 && (i < level->old->n || j < level->new->n)) {
                const ListingItem *old = i < level->old->n ? &level->old->items[i] : NULL;
                const ListingItem *new = j < level->new->n ? &level->new->items[j] : NULL;
                int order =
                        !old   ? 1
                        : !new ? -1
                               : listing_compare(old->name, old->is_dir, new->name, new->is_dir);

                r = diff_item(diff, level, order <= 0 ? old : NULL, order >= 0 ? new : NULL, err);
                i += order <= 0;
                j += order >= 0;
        }
        return r;
}

static int list(int tree, const char *path, Listing **ret_listing) {
        autoclose int fd = tree < 0 ? -ENOENT : beneath_dir(tree, path);

        if (fd < 0 && fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP)
                return fd;
        if (fd >= 0)
                return listing_new(fd, ret_listing);
        *ret_listing = NULL;
        return 0;
}

/* A missing directory of a merged tree is one without names. */
static int list_merged(int tree, const char *path, Listing **ret_listing) {
        int r = list(tree, path, ret_listing);

        if (r >= 0 && !*ret_listing) {
                *ret_listing = calloc(1, sizeof(Listing));
                r = *ret_listing ? 0 : -ENOMEM;
        }
        return r;
}

static int walk(Diff *diff, const Level *outer, const char *path, bool left_out, Error *err) {
        SCOPED(listing_free) Listing *old = NULL;
        SCOPED(listing_free) Listing *new = NULL;
        SCOPED(listing_free) Listing *upper = NULL;
        IgnoreFile ignore = { 0 };
        Level level = { .path = path, .left_out = left_out, .depth = outer ? outer->depth + 1 : 0 };
        int r = list_merged(diff->job.old, path, &old);

        if (r >= 0)
                r = list_merged(diff->job.new, path, &new);
        if (r >= 0)
                r = list(diff->job.upper, path, &upper);
        if (r >= 0)
                r = ignore_load(&ignore, diff->job.old, path, outer ? outer->ignore : NULL);
        if (r < 0)
                return error_set(err, r, "list a directory of the trees");
        level.old = old;
        level.new = new;
        level.upper = upper;
        level.ignore = &ignore;
        r = diff_level(diff, &level, err);
        ignore_unload(&ignore);
        return r;
}

int diff_walk(const DiffJob *job, Report *report, DiffTakeFn take, void *userdata, Error *err) {
        Diff diff = { .job = *job, .report = report, .take = take, .userdata = userdata };

        return job->unchanged ? 0 : walk(&diff, NULL, "", false, err);
}

int diff_run(const DiffJob *job, Report *report, Error *err) {
        Writing writing = { .out = job->out, .report = report };
        uint8_t value[DIGEST_SIZE];
        int r = digest_new(&writing.digest);

        if (r < 0)
                return error_set(err, r, "start a digest");
        r = diff_walk(job, report, write_change, &writing, err);
        digest_end(writing.digest, value);
        writing.digest = digest_free(writing.digest);
        if (r >= 0)
                r = report_digest(report, DIGEST_PATCH, value);
        return r < 0 ? r : report_numbers(report, RECORD_TOTALS, writing.bytes, writing.paths);
}

/* verbs: see verbs.h. */
#include "sandbox/files/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/files/apply.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/change.h"
#include "sandbox/files/check.h"
#include "sandbox/files/diff.h"
#include "sandbox/files/image-user.h"
#include "sandbox/files/image.h"
#include "sandbox/files/merge.h"
#include "sandbox/files/places.h"
#include "sandbox/files/results.h"
#include "sandbox/files/save.h"
#include "sandbox/files/search.h"
#include "sandbox/files/setup-key.h"
#include "sandbox/files/shield.h"
#include "sandbox/files/unpack.h"

static LandLimits limits_of(const VerbArgs *args) {
        return (LandLimits){ .bytes = args->max_bytes,
                             .entries = args->max_entries,
                             .disk = args->max_disk };
}

static int parse_digest(const char *text, uint8_t *value, const uint8_t **ret, Error *err) {
        if (!text)
                return 0;
        if (digest_parse(text, value) < 0)
                return error_say(err, -EINVAL, "\"%.80s\" is no digest", text);
        *ret = value;
        return 0;
}

static int unpack_blob(const VerbArgs *args, UnpackJob *job, Report *report, Error *err) {
        autoclose int tree = place_open(args, "tree", err);
        autoclose int blob = tree < 0 ? tree : image_blob_open(tree, args->blob, report, err);
        autoclose int below = blob < 0 || !args->over ? -EBADF : place_open(args, "old", err);
        uint8_t digest[DIGEST_SIZE], diff[DIGEST_SIZE];
        int r;

        if (blob < 0 || (args->over && below < 0))
                return blob < 0 ? blob : below;
        job->in = blob;
        job->below = below;
        job->is_layer = true;
        job->known = (StreamKnown){ .packing = args->packing,
                                    .has_size = args->size != UINT64_MAX,
                                    .size = args->size,
                                    .in = args->read_before,
                                    .out = args->grown_before };
        r = parse_digest(args->digest, digest, &job->known.digest, err);
        if (r >= 0)
                r = parse_digest(args->diff, diff, &job->known.diff, err);
        report->entry = args->blob;
        if (r >= 0)
                r = unpack_run(job, report, err);
        job->known.digest = job->known.diff = NULL; /* they are this function's */
        return r;
}

int verb_unpack(const VerbArgs *args, Report *report, Error *err) {
        autoclose int out = place_open(args, "out", err);
        UnpackJob job = { .in = STDIN_FILENO,
                          .out = out,
                          .below = -EBADF,
                          .prefix = args->prefix,
                          .limits = limits_of(args),
                          .takes_image = args->takes_image,
                          .held = args->held,
                          .owner = (uint32_t) args->owner };

        if (out >= 0 && args->owner > LAND_ID_MAX && args->owner != UNPACK_OWNER_KEEP)
                return error_say(err, -EINVAL, "%llu is no id of a jail's command",
                                 (unsigned long long) args->owner);
        if (out < 0)
                return out;
        return args->blob ? unpack_blob(args, &job, report, err) : unpack_run(&job, report, err);
}

int verb_check(const VerbArgs *args, Report *report, Error *err) {
        autoclose int old = place_open(args, "old", err);
        CheckJob job = { .layer = old, .since_nsec = args->since };

        return old < 0 ? old : check_run(&job, report, err);
}

int verb_text(const VerbArgs *args, Report *report, Error *err) {
        autoclose int tree = place_open(args, "tree", err);

        return tree < 0 ? tree : image_text(tree, args->words[0], args->max_bytes, report, err);
}

int verb_user(const VerbArgs *args, Report *report, Error *err) {
        autoclose int root = place_open(args, "old", err);

        return root < 0 ? root : image_user(root, args->words[0], report, err);
}

/* The three places of a diff; the descriptors are the caller's to close, in each case. */
static int open_diff(const VerbArgs *args, DiffJob *job, Error *err) {
        job->out = STDOUT_FILENO;
        job->new = job->upper = -EBADF;
        job->old = place_open_below(args, "old", err);
        if (job->old < 0 && place_forgive_missing(job->old, err) < 0)
                return job->old;
        job->new = place_open_below(args, "new", err);
        if (job->new < 0 && place_forgive_missing(job->new, err) < 0)
                return job->new;
        job->upper = place_open_below(args, "upper", err);
        if (job->upper < 0 && place_forgive_missing(job->upper, err) < 0)
                return job->upper;
        job->unchanged = job->upper == -ENOENT;
        return 0;
}

static void close_diff(DiffJob *job) {
        owned_close(&job->old);
        owned_close(&job->new);
        owned_close(&job->upper);
}

int verb_diff(const VerbArgs *args, Report *report, Error *err) {
        DiffJob job = { 0 };
        int r = open_diff(args, &job, err);

        if (r >= 0)
                r = diff_run(&job, report, err);
        close_diff(&job);
        return r;
}

int verb_merge(const VerbArgs *args, Report *report, Error *err) {
        autoclose int tree = place_open_below(args, "tree", err);
        MergeJob job = { .tree = tree };
        int r;

        if (tree < 0)
                return tree;
        r = open_diff(args, &job.diff, err);
        if (r >= 0)
                r = merge_run(&job, report, err);
        close_diff(&job.diff);
        return r;
}

static int add_globs(Globs *globs, const OptionList *list, Error *err) {
        unsigned i;
        int r = 0;

        for (i = 0; i < list->n && r >= 0; i++)
                r = globs_add(globs, list->items[i], err);
        return r;
}

/* Whoever wants the reports read closes fd 0 then: they are looked at in nothing before */
static void wait_for_end(int fd) {
        char byte;
        ssize_t n;

        do
                n = read(fd, &byte, 1);
        while (n > 0 || (n < 0 && errno == EINTR));
}

static int read_results(const VerbArgs *args, Report *report, Error *err) {
        autoclose int upper = args->reports.n > 0 ? place_open(args, "upper", err) : -EBADF;
        autoclose int work = upper >= 0 ? beneath_dir(upper, "work") : -EBADF;
        ResultsJob job = {
                .form = args->words[0], .fd = STDIN_FILENO, .dir = work, .since_nsec = args->since
        };
        int r = 0;

        if (args->reports.n > 0 && upper < 0)
                return upper;
        if (upper >= 0 && work < 0 && work != -ENOENT && work != -ENOTDIR && work != -ELOOP)
                return error_set(err, work, "open /upper/work");
        r = add_globs(&job.globs, &args->reports, err);
        if (r >= 0)
                r = results_run(&job, report, err);
        globs_deinit(&job.globs);
        return r;
}

int verb_results(const VerbArgs *args, Report *report, Error *err) {
        if (args->reports.n > 0 && args->wait)
                wait_for_end(STDIN_FILENO);
        return read_results(args, report, err);
}

static int part_of(const VerbArgs *args, PatchPart *ret, Error *err) {
        PatchPart part = { .list = (unsigned) args->list_hunks };

        if (args->without > UINT32_MAX || args->list_hunks > UINT32_MAX)
                return error_say(err, -ERANGE, "no patch has so many hunks");
        if (args->without > 0 && args->part)
                return error_say(err, -EINVAL, "--without leaves a hunk of the whole patch out");
        part.without = (unsigned) args->without;
        if (args->without > 0)
                part.kind = PATCH_WITHOUT;
        else if (args->part && strcmp(args->part, "tests") == 0)
                part.kind = PATCH_TESTS;
        else if (args->part && strcmp(args->part, "old-tests") == 0)
                part.kind = PATCH_OLD_TESTS;
        else if (args->part)
                return error_say(err, -EINVAL, "no such part of a patch: %.40s", args->part);
        *ret = part;
        return 0;
}

int verb_apply(const VerbArgs *args, Report *report, Error *err) {
        autoclose int old = place_open_below(args, "old", err);
        autoclose int tree =
                old < 0 || args->check_only ? -EBADF : place_open_below(args, "tree", err);
        autoclose int setup = -EBADF;
        ApplyJob job = {
                .patch = STDIN_FILENO,
                .patch_at = args->at,
                .old = old,
                .tree = tree,
                .check_only = args->check_only,
                .shielded = args->shielded,
                .listing = STDOUT_FILENO,
                .remark = args->remark,
        };
        int r = part_of(args, &job.part, err);

        if (r < 0)
                return r;
        if (old < 0 || (tree < 0 && !args->check_only))
                return old < 0 ? old : tree;
        if (args->setup)
                setup = place_open_below(args, "new", err);
        if (args->setup && setup < 0 && place_forgive_missing(setup, err) < 0)
                return setup;
        job.setup = setup;
        r = add_globs(&job.protect, &args->protect, err);
        if (r >= 0)
                r = add_globs(&job.allow, &args->allow, err);
        if (r >= 0)
                r = add_globs(&job.rules, &args->rules, err);
        if (r >= 0)
                r = add_globs(&job.scope, &args->scope, err);
        if (r >= 0)
                r = apply_run(&job, report, err);
        globs_deinit(&job.protect);
        globs_deinit(&job.rules);
        globs_deinit(&job.scope);
        globs_deinit(&job.allow);
        return r;
}

int verb_shield(const VerbArgs *args, Report *report, Error *err) {
        autoclose int old = place_open_below(args, "old", err);
        autoclose int out = old < 0 ? -EBADF : place_open(args, "out", err);
        ShieldJob job = { .old = old,
                          .out = out,
                          .listing = STDOUT_FILENO,
                          .prefix = args->words[0],
                          .limits = limits_of(args) };
        int r;

        if (old < 0 || out < 0)
                return old < 0 ? old : out;
        r = add_globs(&job.protect, &args->protect, err);
        if (r >= 0)
                r = add_globs(&job.allow, &args->allow, err);
        if (r >= 0)
                r = shield_run(&job, report, err);
        globs_deinit(&job.protect);
        globs_deinit(&job.allow);
        return r;
}

int verb_change(const VerbArgs *args, Report *report, Error *err) {
        autoclose int tmp = args->names_only ? -EBADF : place_open(args, "tmp", err);
        autoclose int room = -EBADF;

        if (args->names_only)
                return change_names(report, err);
        if (tmp < 0)
                return tmp;
        if (mkdirat(tmp, "change", 0700) < 0)
                return error_set(err, -errno, "make a directory to work in");
        room = beneath_dir(tmp, "change");
        return room < 0 ? error_set(err, room, "open the directory to work in")
                        : change_run(room, report, err);
}

int verb_save(const VerbArgs *args, Report *report, Error *err) {
        autoclose int upper = place_open(args, "upper", err);
        autoclose int out = upper < 0 ? -EBADF : place_open(args, "out", err);
        autoclose int below = out < 0 || !args->over ? -EBADF : place_open(args, "old", err);
        autoclose int tree = !args->trim && below < 0 ? -EBADF : place_open(args, "tree", err);
        SaveJob job = { .upper = upper,
                        .below = below,
                        .out = out,
                        .tree = tree,
                        .trim = args->trim,
                        .limits = limits_of(args) };

        if (upper < 0 || out < 0)
                return upper < 0 ? upper : out;
        if (below < 0 && args->over)
                return below;
        if (tree < 0 && (args->over || args->trim))
                return tree;
        return save_run(&job, report, err);
}

int verb_key(const VerbArgs *args, Report *report, Error *err) {
        autoclose int old = place_open_below(args, "old", err);
        autoclose int layer = -EBADF;

        if (old < 0)
                return old;
        if (!args->setup)
                return setup_key_digest(old, &args->keys, report, err);
        layer = place_open_below(args, "new", err);
        if (layer < 0)
                return place_forgive_missing(layer, err) < 0 ? layer : 0;
        return setup_key_hides(old, layer, report, err);
}

int verb_search(const VerbArgs *args, Report *report, Error *err) {
        autoclose int tree = place_open(args, "tree", err);
        SearchJob job = { .tree = tree,
                          .pattern = args->words[1],
                          .path = args->n_words > 2 ? args->words[2] : NULL,
                          .glob = args->glob,
                          .grep = strcmp(args->words[0], "grep") == 0,
                          .ignore_case = args->ignore_case };

        if (tree < 0)
                return tree;
        if (!job.grep && strcmp(args->words[0], "glob") != 0)
                return error_say(err, -EINVAL, "search takes glob or grep, not %s", args->words[0]);
        return search_run(&job, report, err);
}

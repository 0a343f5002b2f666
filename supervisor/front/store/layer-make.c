/*
 * layer-make: see layer-make.h.
 */
#include "supervisor/front/store/layer-make.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/fds.h"
#include "base/owned.h"
#include "supervisor/front/policy/policies.h"

#define SHIELD_WORDS_MAX 512

/* ---- what was asked ------------------------------------------------------------------------------ */

void layer_make_deinit(LayerMake *make) {
        fds_close(&make->input_fd, 1);
        fds_close(&make->listing_fd, 1);
        for (char **word = make->shield; word && *word; word++)
                free(*word);
        free(make->shield);
}

static int copy_shield(LayerMake *make, const LayerShield *shield, Error *err) {
        unsigned n = 0;

        memcpy(make->over, shield->base, sizeof make->over);
        while (shield->words[n])
                n++;
        if (n > SHIELD_WORDS_MAX)
                return error_say(err, -E2BIG, "too many patterns: %u words", n);
        make->shield = calloc(n + 1, sizeof(char *));
        make->listing_fd = fcntl(shield->listing_fd, F_DUPFD_CLOEXEC, 3);
        if (make->listing_fd < 0 || !make->shield)
                return error_set(err, make->shield ? -errno : -ENOMEM, "make a shield");
        for (unsigned i = 0; i < n; i++)
                if (!(make->shield[i] = strdup(shield->words[i])))
                        return error_set(err, -ENOMEM, "make a shield");
        return 0;
}

static int copy_layers(LayerMake *make, const LayerImportSpec *spec, Error *err) {
        if (spec->n_lower > PLAN_LAYERS_MAX - 2)
                return error_say(err, -E2BIG, "the snapshot has too many layers: %u",
                                 spec->n_lower);
        for (unsigned i = 0; i < spec->n_lower; i++)
                memcpy(make->lower[i], spec->lower[i], DIGEST_SIZE);
        make->has_over = spec->upper_over;
        if (spec->upper_over)
                memcpy(make->over, spec->upper_over, sizeof make->over);
        return 0;
}

int layer_make_init(LayerMake *make, const LayerImportSpec *spec, Error *err) {
        int r;

        *make = LAYER_MAKE_EMPTY;
        make->spec = *spec;
        make->spec.prefix = NULL; /* ours is a copy */
        make->spec.upper_over = NULL;
        make->spec.lower = NULL;
        make->spec.shield = NULL;
        (void) snprintf(make->prefix, sizeof make->prefix, "%s", spec->prefix ? spec->prefix : "");
        r = copy_layers(make, spec, err);
        if (r < 0)
                return r;
        if (spec->input_fd >= 0) {
                make->input_fd = fcntl(spec->input_fd, F_DUPFD_CLOEXEC, 3);
                if (make->input_fd < 0)
                        return error_set(err, -errno, "keep the archive");
        }
        return spec->shield ? copy_shield(make, spec->shield, err) : 0;
}

/* ---- what the jail sees -------------------------------------------------------------------------- */

/* The layers below are merged; a layer of an image that has none lies upon nothing. */
static int add_blob_views(const LayerBlob *blob, Plan *plan, Error *err) {
        const PlanLayer image = { .kind = LAYER_NEW, .handle = blob->handle };
        int r = plan_view(plan, VIEW_TREE, VIEW_DIRECT, &image, 1, err);

        return r < 0 || blob->n_below == 0
                       ? r
                       : plan_store_view(plan, VIEW_OLD, blob->below, blob->n_below, err);
}

/* Bound as it is, with its marks: an overlay would show what they mean in their place. */
static int add_over_view(const LayerMake *make, Plan *plan, Error *err) {
        PlanLayer layer = { .kind = LAYER_STORE };
        int r;

        memcpy(layer.digest, make->over, sizeof layer.digest);
        r = plan_view(plan, VIEW_OLD, VIEW_DIRECT, &layer, 1, err);
        return r < 0 || make->shield
                       ? r
                       : plan_store_view(plan, VIEW_TREE, make->lower, make->spec.n_lower, err);
}

static int make_plan(const LayerMake *make, Front *front, uint64_t handle, Plan *plan, Error *err) {
        const PlanLayer out = { .kind = LAYER_NEW, .handle = handle };
        const PlanLayer upper = { .kind = LAYER_UPPER,
                                  .view = make->spec.upper_view,
                                  .handle = make->spec.upper_handle };
        const Policy *policy = policies_find(front->policies, "files", err);
        int r;

        if (!policy)
                return err->code;
        plan_init(plan, policy_limits(policy));
        r = plan_view(plan, VIEW_OUT, VIEW_WRITABLE | VIEW_DIRECT, &out, 1, err);
        if (r >= 0 && make->spec.upper_handle)
                r = plan_view(plan, VIEW_UPPER, VIEW_DIRECT, &upper, 1, err);
        if (r >= 0 && (make->has_over || make->shield))
                r = add_over_view(make, plan, err);
        if (r >= 0 && make->spec.trim)
                r = plan_store_view(plan, VIEW_TREE, make->lower, make->spec.n_lower, err);
        if (r >= 0 && make->spec.blob)
                r = add_blob_views(make->spec.blob, plan, err);
        return r;
}

/* ---- what warder-files is told ------------------------------------------------------------------- */

typedef struct Words { /* of warder-files, with room for what they are made of */
        const char *argv[32 + SHIELD_WORDS_MAX];
        char text[12][DIGEST_TEXT_MAX];
        unsigned n, n_text;
} Words;

static void add_word(Words *words, const char *option, const char *value) {
        words->argv[words->n++] = option;
        if (value)
                words->argv[words->n++] = value;
}

static void add_number(Words *words, const char *option, uint64_t value) {
        char *text = words->text[words->n_text++];

        (void) snprintf(text, sizeof words->text[0], "%" PRIu64, value);
        add_word(words, option, text);
}

static void add_digest(Words *words, const char *option, const uint8_t *digest) {
        add_word(words, option, digest_format(digest, words->text[words->n_text++]));
}

static void add_blob(Words *words, const LayerBlob *blob) {
        add_word(words, "--blob", blob->blob->path);
        if (blob->n_below > 0)
                add_word(words, "--over", NULL);
        if (blob->blob->has_digest)
                add_digest(words, "--digest", blob->blob->digest);
        if (blob->blob->has_size)
                add_number(words, "--size", blob->blob->size);
        if (blob->blob->packing)
                add_word(words, "--packing", blob->blob->packing);
        add_digest(words, "--diff", blob->diff);
        add_number(words, "--read-before", blob->read);
        add_number(words, "--grown-before", blob->grown);
}

/* What a saved upper may hold its own jail has bounded; what it takes on disk counts all the same. */
static void add_words(Words *words, const LayerMake *make) {
        const LayerImportSpec *spec = &make->spec;
        bool is_shield = make->shield != NULL;

        add_word(words, is_shield ? "shield" : spec->upper_handle ? "save" : "unpack", NULL);
        if (spec->max_disk)
                add_number(words, "--max-disk", spec->max_disk);
        for (char **word = make->shield; is_shield && *word; word++)
                add_word(words, *word, NULL);
        if (is_shield)
                return;
        if (make->has_over)
                add_word(words, "--over", NULL);
        if (spec->trim)
                add_word(words, "--trim", NULL);
        if (spec->upper_handle)
                return;
        if (spec->to_jail_user)
                add_number(words, "--owner", JAIL_USER_ID);
        if (spec->held)
                add_word(words, "--held", NULL);
        if (*make->prefix)
                add_word(words, "--prefix", make->prefix);
        if (spec->max_bytes || spec->blob)
                add_number(words, "--max-bytes", spec->max_bytes);
        if (spec->max_entries)
                add_number(words, "--max-entries", spec->max_entries);
        if (spec->takes_image)
                add_word(words, "--image", NULL);
        if (spec->blob)
                add_blob(words, spec->blob);
}

int layer_make_start(const LayerMake *make, Front *front, const LayerMaking *making, Error *err) {
        Words words = { .n = 0 };
        FilesJobSpec job = { .argv = words.argv,
                             .input_fd = make->input_fd,
                             .output_fd = make->listing_fd,
                             .owner_uid = make->spec.owner_uid };
        const Call *call = make->spec.call;
        FilesJob *started;
        int r = make_plan(make, front, making->handle, &job.plan, err);

        job.client = call ? call_client(call) : NULL;
        if (r >= 0 && call && !job.client)
                r = error_say(err, -ECANCELED, "the client has gone");
        add_words(&words, make);
        return r < 0 ? r
                     : files_job_start(front, &job, making->on_record, making->on_done,
                                       making->userdata, &started, err);
}

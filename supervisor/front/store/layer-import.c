/*
 * layer-import: see layer-import.h.
 *
 *   LAYER_NEW -> files job (unpack or save, it flushes what it wrote) -> LAYER_COMMIT -> done
 *
 * Where a container image may come (takes_image), what was unpacked is then no layer but that image, and stays
 * as it is, unfinished, for image-import.c. A layer of an image is unpacked from there, over those below it.
 *
 * A layer appears in the store complete or not at all: what fails before the commit is dropped. The digest
 * is what warder-files computed of the entries as they landed.
 */
#include "supervisor/front/store/layer-import.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/fds.h"
#include "base/log.h"
#include "base/owned.h"
#include "base/rules.h"
#include "supervisor/front/jails/filesjob.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/policy/policies.h"
#include "supervisor/front/store/layer-records.h"
#include "supervisor/front/store/layers.h"

#define SHIELD_WORDS_MAX 512

typedef struct Import {
        Front *front; /* borrowed, outlives us */
        LayerImportSpec spec;
        int input_fd;   /* owned, as the next two */
        int listing_fd; /* of a shield */
        char **shield;  /* words of a shield; NULL: it is none. Its base is @over */
        char prefix[64];
        uint8_t over[DIGEST_SIZE]; /* has_over */
        bool has_over;
        uint8_t lower[PLAN_LAYERS_MAX][DIGEST_SIZE];
        uint64_t handle; /* of the new layer, 0: none yet */
        char holder[40]; /* of the layer from before its commit until @done; "": not yet */
        bool has_digest;
        bool makes_good; /* a damaged layer of that name was taken away for it */
        bool refused;
        LayerImport result;
        LayerImportFn done;
        void *userdata;
} Import;

static Import *import_free(Import *import) {
        if (!import)
                return NULL;
        fds_close(&import->input_fd, 1);
        fds_close(&import->listing_fd, 1);
        for (char **word = import->shield; word && *word; word++)
                free(*word);
        free(import->shield);
        json_free(import->result.cleaned);
        import->front->imports--;
        layers_sweep(import->front);
        front_touch(import->front);
        free(import);
        return NULL;
}
DEFINE_SCOPED(Import *, import_free);

/* Whoever came to hold the layer does now. */
static void let_go(Import *import) {
        Error err = ERROR_EMPTY;

        if (*import->holder &&
            layer_release(import->front, import->result.digest, import->holder, &err) < 0)
                log_event(LOG_WARNING, "a layer of an import stays held", F_ERR(&err));
}

/* The end of every import, good or bad. */
static void conclude(Import *import, const Error *err) {
        SCOPED(import_free) Import *owned = import;
        Error dropped = ERROR_EMPTY;

        if (err && import->handle &&
            monitor_layer(import->front->monitor, REQUEST_LAYER_DROP, import->handle, NULL, NULL,
                          NULL, &dropped) < 0)
                log_event(LOG_WARNING, "an unfinished layer stays in the store", F_ERR(&dropped));
        import->done(&import->result, err, import->refused, import->userdata);
        let_go(import);
        (void) owned;
}

static void fail_reply(Import *import, const MonitorReply *reply, const char *what) {
        Error err = ERROR_EMPTY;

        (void) error_add(&err, monitor_refusal(reply, &err), "%s", what);
        conclude(import, &err);
}

/* A commit leaves what is there of that name, as good: a damaged one too, unless it was taken away for this one */
static int judge(Import *import, Error *err) {
        Error own = ERROR_EMPTY;

        if (!layer_is_damaged(import->front, import->result.digest))
                return 0;
        if (!import->makes_good)
                return error_say(err, -EUCLEAN,
                                 "the layer of this content was found damaged in the meantime: "
                                 "import it again, and it is put right");
        if (layer_record_judge(import->front, import->result.digest, NULL, &own) < 0)
                log_event(LOG_WARNING, "a layer that was put right counts as damaged", F_ERR(&own));
        return 0;
}

static void on_committed(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        Import *import = userdata;
        Error err = ERROR_EMPTY;

        (void) fds;
        (void) n_fds;
        if (reply->code < 0 && reply->code != -EEXIST) {
                fail_reply(import, reply, "commit the layer");
                return;
        }
        import->handle = 0;
        conclude(import, judge(import, &err) < 0 ? &err : NULL);
}

static int commit(Import *import, Error *err) {
        return monitor_layer(import->front->monitor, REQUEST_LAYER_COMMIT, import->handle,
                             import->result.digest, on_committed, import, err);
}

static void on_damaged_gone(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        Import *import = userdata;
        Error err = ERROR_EMPTY;

        (void) fds;
        (void) n_fds;
        if (reply->code < 0 && reply->code != -ENOENT) {
                fail_reply(import, reply, "take the damaged layer of this content away");
                return;
        }
        import->makes_good = true;
        if (commit(import, &err) < 0)
                conclude(import, &err);
}

/* A layer of the same name wins, but not one that was found damaged: it makes room for this one. */
static int start_commit(Import *import, Error *err) {
        return layer_is_damaged(import->front, import->result.digest)
                       ? monitor_layer(import->front->monitor, REQUEST_LAYER_REMOVE, 0,
                                       import->result.digest, on_damaged_gone, import, err)
                       : commit(import, err);
}

/* From now on no sweep takes it, also where the store has it already; a front that dies leaves it to the next. */
static int hold(Import *import, Error *err) {
        const LayerImport *result = &import->result;
        int r;

        (void) snprintf(import->holder, sizeof import->holder, "import:%" PRIu64,
                        import->front->next_id++);
        r = layer_hold(import->front, result->digest, import->holder, err);
        return r < 0 ? r
                     : layer_record_add(import->front, result->digest, result->bytes,
                                        result->entries, err);
}

static void on_files_done(const FilesJobEnd *end, void *userdata) {
        Import *import = userdata;
        Error err = ERROR_EMPTY;

        import->refused = end->refused;
        if (end->err) {
                err = *end->err;
        } else if (import->result.image && import->spec.takes_image) {
                import->result.handle = import->handle;
                import->handle = 0;
                conclude(import, NULL);
                return;
        } else if (import->spec.takes_image && import->result.entries <= 1 && /* the root is one */
                   import->result.cleaned_total == 0) {
                import->refused = true;
                error_say(&err, -EINVAL, "the archive has no entries: there is nothing to import");
        } else if (!import->has_digest) {
                error_say(&err, -EPROTO, "warder-files did not name the layer's digest");
        } else if (hold(import, &err) >= 0) {
                (void) start_commit(import, &err);
        }
        if (err.code)
                conclude(import, &err);
}

/* "path", NUL, "sentence", and the running number; the last of very many says only how many there were */
static void add_cleaned(LayerImport *result, const Record *record) {
        const char *path = record->data;
        size_t n = strlen(path) + 1;
        cJSON *entry;

        result->cleaned_total = record->head.a;
        if (record->head.flags == RULE_NONE || cJSON_GetArraySize(result->cleaned) >= CLEANED_MAX)
                return;
        entry = cJSON_CreateObject();
        json_add_text(entry, "path", path);
        json_add_text(entry, "rule", record_rule_name(record->head.flags));
        json_add_text(entry, "text", n <= record->head.size ? path + n : "");
        json_push_consume(result->cleaned, entry);
}

void layer_cleaned_push(cJSON *cleaned, const cJSON *more) {
        const cJSON *item;

        cJSON_ArrayForEach(item, more) if (cJSON_GetArraySize(cleaned) < CLEANED_MAX)
                json_push_consume(cleaned, cJSON_Duplicate(item, true));
}

static void on_record(const Record *record, void *userdata) {
        Import *import = userdata;

        switch (record->head.kind) {
        case RECORD_PROGRESS:
                if (import->spec.progress)
                        import->spec.progress(record->head.a, record->head.b, import->userdata);
                break;
        case RECORD_NOTE:
                add_cleaned(&import->result, record);
                break;
        case RECORD_DIGEST:
                if (record->head.flags != DIGEST_LAYER || record->head.size != 32)
                        break;
                memcpy(import->result.digest, record->data, 32);
                import->has_digest = true;
                break;
        case RECORD_IMAGE:
                import->result.image = record->head.flags;
                import->result.bytes = record->head.a;
                import->result.entries = record->head.b;
                break;
        case RECORD_GROWN:
                import->result.read = record->head.a;
                import->result.grown = record->head.b;
                break;
        case RECORD_TOTALS:
                import->result.bytes = record->head.a;
                import->result.entries = record->head.b;
                break;
        default:
                break;
        }
}

/* The layers below are merged; a layer of an image that has none lies upon nothing. */
static int add_blob_views(const LayerBlob *blob, Plan *plan, Error *err) {
        const PlanLayer image = { .kind = LAYER_NEW, .handle = blob->handle };
        int r = plan_view(plan, VIEW_TREE, VIEW_DIRECT, &image, 1, err);

        return r < 0 || blob->n_below == 0
                       ? r
                       : plan_store_view(plan, VIEW_OLD, blob->below, blob->n_below, err);
}

/* Bound as it is, with its marks: an overlay would show what they mean in their place. */
static int add_over_view(const Import *import, Plan *plan, Error *err) {
        PlanLayer layer = { .kind = LAYER_STORE };
        int r;

        memcpy(layer.digest, import->over, sizeof layer.digest);
        r = plan_view(plan, VIEW_OLD, VIEW_DIRECT, &layer, 1, err);
        return r < 0 || import->shield
                       ? r
                       : plan_store_view(plan, VIEW_TREE, import->lower, import->spec.n_lower, err);
}

static int make_plan(const Import *import, Plan *plan, Error *err) {
        const PlanLayer out = { .kind = LAYER_NEW, .handle = import->handle };
        const PlanLayer upper = { .kind = LAYER_UPPER,
                                  .view = import->spec.upper_view,
                                  .handle = import->spec.upper_handle };
        const Policy *policy = policies_find(import->front->policies, "files", err);
        int r;

        if (!policy)
                return err->code;
        plan_init(plan, policy_limits(policy));
        r = plan_view(plan, VIEW_OUT, VIEW_WRITABLE | VIEW_DIRECT, &out, 1, err);
        if (r >= 0 && import->spec.upper_handle)
                r = plan_view(plan, VIEW_UPPER, VIEW_DIRECT, &upper, 1, err);
        if (r >= 0 && (import->has_over || import->shield))
                r = add_over_view(import, plan, err);
        if (r >= 0 && import->spec.trim)
                r = plan_store_view(plan, VIEW_TREE, import->lower, import->spec.n_lower, err);
        if (r >= 0 && import->spec.blob)
                r = add_blob_views(import->spec.blob, plan, err);
        return r;
}

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
static void add_words(Words *words, const Import *import) {
        const LayerImportSpec *spec = &import->spec;
        bool is_shield = import->shield != NULL;

        add_word(words, is_shield ? "shield" : spec->upper_handle ? "save" : "unpack", NULL);
        if (spec->max_disk)
                add_number(words, "--max-disk", spec->max_disk);
        for (char **word = import->shield; is_shield && *word; word++)
                add_word(words, *word, NULL);
        if (is_shield)
                return;
        if (import->has_over)
                add_word(words, "--over", NULL);
        if (spec->trim)
                add_word(words, "--trim", NULL);
        if (spec->upper_handle)
                return;
        if (spec->to_jail_user)
                add_number(words, "--owner", JAIL_USER_ID);
        if (spec->held)
                add_word(words, "--held", NULL);
        if (*import->prefix)
                add_word(words, "--prefix", import->prefix);
        if (spec->max_bytes || spec->blob)
                add_number(words, "--max-bytes", spec->max_bytes);
        if (spec->max_entries)
                add_number(words, "--max-entries", spec->max_entries);
        if (spec->takes_image)
                add_word(words, "--image", NULL);
        if (spec->blob)
                add_blob(words, spec->blob);
}

static int start_files(Import *import, Error *err) {
        Words words = { .n = 0 };
        FilesJobSpec job = { .argv = words.argv,
                             .input_fd = import->input_fd,
                             .output_fd = import->listing_fd,
                             .owner_uid = import->spec.owner_uid };
        FilesJob *started;
        int r = make_plan(import, &job.plan, err);

        add_words(&words, import);
        return r < 0 ? r
                     : files_job_start(import->front, &job, on_record, on_files_done, import,
                                       &started, err);
}

static void on_layer_new(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        Import *import = userdata;
        Error err = ERROR_EMPTY;

        (void) fds;
        (void) n_fds;
        if (reply->code < 0) {
                fail_reply(import, reply, "make a layer");
                return;
        }
        import->handle = reply->handle;
        if (start_files(import, &err) < 0)
                conclude(import, &err);
}

static int copy_shield(Import *import, const LayerShield *shield, Error *err) {
        unsigned n = 0;

        memcpy(import->over, shield->base, sizeof import->over);
        while (shield->words[n])
                n++;
        if (n > SHIELD_WORDS_MAX)
                return error_say(err, -E2BIG, "too many patterns: %u words", n);
        import->shield = calloc(n + 1, sizeof(char *));
        import->listing_fd = fcntl(shield->listing_fd, F_DUPFD_CLOEXEC, 3);
        if (import->listing_fd < 0 || !import->shield)
                return error_set(err, import->shield ? -errno : -ENOMEM, "make a shield");
        for (unsigned i = 0; i < n; i++)
                if (!(import->shield[i] = strdup(shield->words[i])))
                        return error_set(err, -ENOMEM, "make a shield");
        return 0;
}

static int import_new(Front *front, const LayerImportSpec *spec, Import **ret, Error *err) {
        SCOPED(import_free) Import *import = NULL;
        Import *fresh = calloc(1, sizeof *fresh);
        int r;

        if (!fresh)
                return error_set(err, -ENOMEM, "import a layer");
        *fresh =
                (Import){ .front = front, .spec = *spec, .input_fd = -EBADF, .listing_fd = -EBADF };
        front->imports++;
        import = fresh;
        import->spec.prefix = NULL; /* ours is a copy */
        import->spec.upper_over = NULL;
        import->spec.lower = NULL;
        import->spec.shield = NULL;
        if (spec->n_lower > PLAN_LAYERS_MAX - 2)
                return error_say(err, -E2BIG, "the snapshot has too many layers: %u",
                                 spec->n_lower);
        for (unsigned i = 0; i < spec->n_lower; i++)
                memcpy(import->lower[i], spec->lower[i], DIGEST_SIZE);
        import->has_over = spec->upper_over;
        if (spec->upper_over)
                memcpy(import->over, spec->upper_over, sizeof import->over);
        (void) snprintf(import->prefix, sizeof import->prefix, "%s",
                        spec->prefix ? spec->prefix : "");
        import->result.cleaned = cJSON_CreateArray();
        if (!import->result.cleaned)
                return error_set(err, -ENOMEM, "import a layer");
        if (spec->input_fd >= 0) {
                import->input_fd = fcntl(spec->input_fd, F_DUPFD_CLOEXEC, 3);
                if (import->input_fd < 0)
                        return error_set(err, -errno, "keep the archive");
        }
        r = spec->shield ? copy_shield(import, spec->shield, err) : 0;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(import);
        return 0;
}

int layer_import(Front *front, const LayerImportSpec *spec, LayerImportFn done, void *userdata,
                 Error *err) {
        SCOPED(import_free) Import *import = NULL;
        int r;

        r = import_new(front, spec, &import, err);
        if (r < 0)
                return r;
        import->done = done;
        import->userdata = userdata;
        r = monitor_layer(front->monitor, REQUEST_LAYER_NEW, 0, NULL, on_layer_new, import, err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(import);
        return 0;
}

/*
 * image-import: see image-import.h.
 *
 *   index.json -> (an index within it) -> manifest, or manifest.json of docker save
 *   -> configuration -> layer after layer, from the lowest -> (the user's ids) -> done
 *
 * Each step is a run of warder-files in a jail of its own that sees the image and nothing else: a text comes
 * back as records and is read here, a layer lands in the store (layer-import.c). Nothing of the image is
 * known by another name than its digest, or a path that warder-files looks for beneath the image and through no
 * link.
 *
 * Layers are held from their commit under the import's own name, so that what a front that dies leaves behind
 * is found by the next. The image itself is an unfinished layer, which the monitor drops with the front.
 */
#include "supervisor/front/store/image-import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/owned.h"
#include "base/rules.h"
#include "supervisor/front/jails/filesjob.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/policy/policies.h"
#include "supervisor/front/store/image-config.h"
#include "supervisor/front/store/layers.h"

#define HOLDER_MAX 40

typedef struct ImageImport ImageImport;
typedef int (*TextFn)(ImageImport *import, const char *text, size_t n, Error *err);

struct ImageImport {
        Front *front;              /* borrowed, outlives us */
        uint64_t handle;           /* of the image in the store */
        char name[IMAGE_NAME_MAX]; /* "": none was named */
        char holder[HOLDER_MAX];
        ImageImportSpec spec; /* what it borrows is gone */
        Image image;
        LayerBlob blob;
        unsigned depth, at; /* indexes so far, layers so far */
        ImageBlob wanted;   /* the text that is being read */
        Buf text;
        TextFn take;
        bool refused; /* the image's fault, not the host's */
        struct {
                uint64_t bytes, entries;
        } sizes[IMAGE_LAYERS_MAX];               /* of result.info.layers */
        uint64_t read, grown;                    /* of all layers so far */
        uint64_t used, used_bytes, used_entries; /* on disk with the image; of layers */
        ImageResult result;
        ImageImportFn done;
        void *userdata;
};

static ImageImport *import_free(ImageImport *import) {
        if (!import)
                return NULL;
        buf_deinit(&import->text);
        json_free(import->result.config);
        json_free(import->result.cleaned);
        import->front->imports--;
        layers_sweep(import->front);
        front_touch(import->front);
        free(import);
        return NULL;
}
DEFINE_SCOPED(ImageImport *, import_free);

static void let_go(ImageImport *import) {
        const SnapshotInfo *info = &import->result.info;
        Error err = ERROR_EMPTY;

        for (unsigned i = 0; i < info->n_layers; i++)
                if (layer_release(import->front, info->layers[i], import->holder, &err) < 0)
                        log_event(LOG_WARNING, "a layer of an import stays held", F_ERR(&err));
        err = ERROR_EMPTY;
        if (monitor_layer(import->front->monitor, REQUEST_LAYER_DROP, import->handle, NULL, NULL,
                          NULL, &err) < 0)
                log_event(LOG_WARNING, "an image stays in the store", F_ERR(&err));
}

/* The end of every import of an image, good or bad. */
static void conclude(ImageImport *import, const Error *err) {
        SCOPED(import_free) ImageImport *owned = import;

        import->done(&import->result, err, import->refused, import->userdata);
        let_go(import);
        (void) owned;
}

/* ---- texts ---------------------------------------------------------------------------------------- */

/* Out of order, or too much: then the digest will not fit, and the rest is not kept. */
static void on_text_record(const Record *record, void *userdata) {
        ImageImport *import = userdata;

        if (record->head.kind == RECORD_TEXT && record->head.a == import->text.len)
                (void) buf_append(&import->text, record->data, record->head.size);
}

/* What a text breaks is said with a rule's name, as what an archive breaks. */
static void refuse_text(ImageImport *import, RecordRule rule, const Error *why) {
        Error err = ERROR_EMPTY;

        import->refused = why->code == -EINVAL;
        if (import->refused)
                error_say(&err, -EINVAL, "%.100s: %.300s (rule %s)", import->wanted.path, why->text,
                          record_rule_name(rule));
        conclude(import, import->refused ? &err : why);
}

static void on_text_done(const FilesJobEnd *end, void *userdata) {
        ImageImport *import = userdata;
        Error err = ERROR_EMPTY;

        import->refused = end->refused;
        if (end->err) {
                conclude(import, end->err);
                return;
        }
        if (image_check_text(&import->wanted, import->text.data, import->text.len, &err) < 0)
                refuse_text(import, RULE_DIGEST, &err);
        else if (import->take(import, import->text.data, import->text.len, &err) < 0)
                refuse_text(import, RULE_IMAGE, &err);
}

static int start_job(ImageImport *import, const char *const *argv, FilesJobSpec *job,
                     FilesRecordFn record, FilesDoneFn done, Error *err) {
        FilesJob *started;

        job->argv = argv;
        job->input_fd = job->output_fd = -EBADF;
        job->owner_uid = import->spec.owner_uid;
        return files_job_start(import->front, job, record, done, import, &started, err);
}

static int read_text(ImageImport *import, const ImageBlob *wanted, TextFn take, Error *err) {
        const PlanLayer image = { .kind = LAYER_NEW, .handle = import->handle };
        const Policy *policy = policies_find(import->front->policies, "files", err);
        char max[24];
        const char *argv[] = { "text", "--max-bytes", max, "--", import->wanted.path, NULL };
        FilesJobSpec job;
        int r;

        if (!policy)
                return err->code;
        import->wanted = *wanted;
        import->take = take;
        buf_deinit(&import->text);
        import->text = BUF_EMPTY(IMAGE_TEXT_MAX);
        (void) snprintf(max, sizeof max, "%u", IMAGE_TEXT_MAX);
        job = (FilesJobSpec){ .wall_usec = 0 };
        plan_init(&job.plan, policy_limits(policy));
        r = plan_view(&job.plan, VIEW_TREE, VIEW_DIRECT, &image, 1, err);
        return r < 0 ? r : start_job(import, argv, &job, on_text_record, on_text_done, err);
}

static int next_layer(ImageImport *import, Error *err);

static int take_config(ImageImport *import, const char *text, size_t n, Error *err) {
        int r = image_read_config(text, n, &import->image, &import->result.config, err);

        return r < 0 ? r : next_layer(import, err);
}

static int take_manifest(ImageImport *import, const char *text, size_t n, Error *err) {
        int r = image_read_manifest(text, n, &import->image, err);

        return r < 0 ? r : read_text(import, &import->image.config, take_config, err);
}

static int take_docker(ImageImport *import, const char *text, size_t n, Error *err) {
        int r = image_read_docker(text, n, *import->name ? import->name : NULL, &import->image,
                                  err);

        return r < 0 ? r : read_text(import, &import->image.config, take_config, err);
}

/* Names are those of the outermost index. */
static int take_index(ImageImport *import, const char *text, size_t n, Error *err) {
        const char *name = import->depth == 0 && *import->name ? import->name : NULL;
        ImageNext next;
        int r = image_read_index(text, n, name, &next, err);

        if (r >= 0 && ++import->depth > IMAGE_DEPTH_MAX)
                r = error_say(err, -EINVAL, "indexes lie more than %u deep", IMAGE_DEPTH_MAX);
        return r < 0 ? r
                     : read_text(import, &next.blob, next.is_index ? take_index : take_manifest,
                                 err);
}

/* ---- layers --------------------------------------------------------------------------------------- */

static void drop_below(ImageImport *import, unsigned i) {
        SnapshotInfo *info = &import->result.info;

        info->bytes -= import->sizes[i].bytes;
        info->entries -= import->sizes[i].entries;
        info->n_layers--;
        memmove(info->layers + i, info->layers + i + 1,
                (info->n_layers - i) * sizeof info->layers[0]);
        memmove(import->sizes + i, import->sizes + i + 1,
                (info->n_layers - i) * sizeof import->sizes[0]);
}

/*
 * Topmost first. An overlay takes no layer twice: of two that are the same the upper one does all that the
 * lower one does.
 */
static int push_layer(ImageImport *import, const LayerImport *layer, Error *err) {
        SnapshotInfo *info = &import->result.info;
        int r = layer_hold(import->front, layer->digest, import->holder, err);

        if (r < 0)
                return r;
        for (unsigned i = 0; i < info->n_layers; i++)
                if (memcmp(info->layers[i], layer->digest, sizeof info->layers[0]) == 0) {
                        drop_below(import, i);
                        break;
                }
        memmove(info->layers + 1, info->layers, info->n_layers * sizeof info->layers[0]);
        memmove(import->sizes + 1, import->sizes, info->n_layers * sizeof import->sizes[0]);
        memcpy(info->layers[0], layer->digest, sizeof info->layers[0]);
        import->sizes[0].bytes = layer->bytes;
        import->sizes[0].entries = layer->entries;
        info->n_layers++;
        info->bytes += layer->bytes;
        info->entries += layer->entries;
        return 0;
}

static void on_layer(const LayerImport *layer, const Error *failure, bool refused, void *userdata) {
        ImageImport *import = userdata;
        Error err = ERROR_EMPTY;

        int r = 0;

        import->refused = refused;
        if (failure) {
                err = *failure;
        } else if (push_layer(import, layer, &err) < 0) {
                (void) layer_discard(import->front, layer->digest, NULL);
        } else {
                layer_cleaned_push(import->result.cleaned, layer->cleaned);
                import->result.cleaned_total += layer->cleaned_total;
                import->read += layer->read;
                import->grown += layer->grown;
                import->used_bytes += layer->bytes;
                import->used_entries += layer->entries;
                import->used += layer->bytes + LAYER_ENTRY_BYTES * layer->entries;
                import->at++;
                r = next_layer(import, &err); /* where it is good, the import may be over */
                if (r >= 0)
                        return;
                import->refused = r == -EINVAL;
        }
        conclude(import, &err);
}

static void on_progress(uint64_t bytes, uint64_t entries, void *userdata) {
        const ImageImport *import = userdata;

        if (import->spec.progress)
                import->spec.progress(import->read + bytes, import->used_entries + entries,
                                      import->userdata);
}

/* What all layers together may have, less what those before had. */
static int leave_limits(const ImageImport *import, LayerImportSpec *ret, Error *err) {
        const ImageImportSpec *spec = &import->spec;

        if (import->used_entries >= spec->max_entries || import->used_bytes > spec->max_bytes)
                return error_say(err, -EINVAL,
                                 "the layers have more than %" PRIu64 " entries together (rule %s)",
                                 spec->max_entries, record_rule_name(RULE_TOO_MANY_ENTRIES));
        if (spec->max_disk && import->used >= spec->max_disk)
                return error_say(err, -EINVAL,
                                 "the image and its layers have more than %" PRIu64
                                 " bytes on disk together (rule %s)",
                                 spec->max_disk, record_rule_name(RULE_TOO_MANY_BYTES));
        ret->max_bytes = spec->max_bytes - import->used_bytes;
        ret->max_entries = spec->max_entries - import->used_entries;
        ret->max_disk = spec->max_disk ? spec->max_disk - import->used : 0;
        return 0;
}

static int find_user(ImageImport *import, Error *err);

static int next_layer(ImageImport *import, Error *err) {
        LayerImportSpec spec = { .input_fd = -EBADF,
                                 .blob = &import->blob,
                                 .owner_uid = import->spec.owner_uid,
                                 .progress = on_progress };
        int r;

        if (import->at == import->image.n_layers)
                return find_user(import, err);
        r = leave_limits(import, &spec, err);
        if (r < 0)
                return r;
        import->blob = (LayerBlob){ .handle = import->handle,
                                    .blob = &import->image.layers[import->at],
                                    .diff = import->image.diffs[import->at],
                                    .below = import->result.info.layers,
                                    .n_below = import->result.info.n_layers,
                                    .read = import->read,
                                    .grown = import->grown };
        return layer_import(import->front, &spec, on_layer, import, err);
}

/* ---- its user ------------------------------------------------------------------------------------- */

static void on_user_record(const Record *record, void *userdata) {
        ImageImport *import = userdata;
        cJSON *user;

        if (record->head.kind != RECORD_USER || record->head.a >= JAIL_INIT_ID ||
            record->head.b >= JAIL_INIT_ID)
                return;
        cJSON_DeleteItemFromObjectCaseSensitive(import->result.config, "user");
        user = json_add_object(import->result.config, "user");
        json_add_number(user, "uid", record->head.a);
        json_add_number(user, "gid", record->head.b);
}

static void on_user_done(const FilesJobEnd *end, void *userdata) {
        ImageImport *import = userdata;
        Error err = ERROR_EMPTY;

        import->refused = end->refused;
        if (end->err)
                err = *end->err;
        else if (json_text(import->result.config, "user"))
                error_say(&err, -EPROTO, "warder-files did not say who the image's user is");
        conclude(import, err.code ? &err : NULL);
}

static int find_user(ImageImport *import, Error *err) {
        const Policy *policy = policies_find(import->front->policies, "files", err);
        const char *user = json_text(import->result.config, "user");
        const char *argv[] = { "user", "--", user, NULL };
        const SnapshotInfo *info = &import->result.info;
        FilesJobSpec job = { .wall_usec = 0 };
        int r;

        if (!policy)
                return err->code;
        if (!user) {
                conclude(import, NULL);
                return 0;
        }
        plan_init(&job.plan, policy_limits(policy));
        r = plan_store_view(&job.plan, VIEW_OLD, info->layers, info->n_layers, err);
        return r < 0 ? r : start_job(import, argv, &job, on_user_record, on_user_done, err);
}

/* ---- start ---------------------------------------------------------------------------------------- */

static int import_new(Front *front, const ImageImportSpec *spec, ImageImport **ret, Error *err) {
        ImageImport *import = calloc(1, sizeof *import);

        if (!import)
                return error_set(err, -ENOMEM, "import an image");
        *import = (ImageImport){ .front = front,
                                 .handle = spec->image->handle,
                                 .spec = *spec,
                                 .text = BUF_EMPTY(IMAGE_TEXT_MAX) };
        front->imports++;
        import->spec.image = NULL;
        import->spec.name = NULL;
        (void) snprintf(import->name, sizeof import->name, "%s", spec->name ? spec->name : "");
        (void) snprintf(import->holder, sizeof import->holder, "import:%" PRIu64, front->next_id++);
        import->used = spec->image->bytes + LAYER_ENTRY_BYTES * spec->image->entries;
        import->result.cleaned = cJSON_Duplicate(spec->image->cleaned, true);
        import->result.cleaned_total = spec->image->cleaned_total;
        if (!import->result.cleaned) {
                import_free(import);
                return error_set(err, -ENOMEM, "import an image");
        }
        *ret = import;
        return 0;
}

int image_import(Front *front, const ImageImportSpec *spec, ImageImportFn done, void *userdata,
                 Error *err) {
        static const ImageBlob index = { .path = "index.json" },
                               docker = { .path = "manifest.json" };
        bool layout = spec->image->image & IMAGE_LAYOUT;
        SCOPED(import_free) ImageImport *import = NULL;
        int r = import_new(front, spec, &import, err);

        if (r >= 0) {
                import->done = done;
                import->userdata = userdata;
                r = read_text(import, layout ? &index : &docker, layout ? take_index : take_docker,
                              err);
        }
        if (r < 0) {
                (void) monitor_layer(front->monitor, REQUEST_LAYER_DROP, spec->image->handle, NULL,
                                     NULL, NULL, NULL);
                return r;
        }
        (void) TAKE_PTR(import);
        return 0;
}

int image_imports_forget(Front *front, Error *err) {
        int r = ledger_exec(front->ledger, err,
                            "INSERT OR IGNORE INTO loose (digest) SELECT digest FROM holds a WHERE "
                            "holder LIKE 'import:%' AND NOT EXISTS (SELECT 1 FROM holds b WHERE "
                            "b.digest = a.digest AND b.holder NOT LIKE 'import:%')",
                            "");

        return r < 0 ? r
                     : ledger_exec(front->ledger, err,
                                   "DELETE FROM holds WHERE holder LIKE 'import:%'", "");
}

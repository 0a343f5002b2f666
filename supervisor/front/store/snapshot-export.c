/*
 * snapshot-export: see snapshot-export.h.
 *
 *   tar:  one files job packs all layers, merged, into the caller's descriptor
 *   oci:  each layer is measured, a job each, since an archive says a file's size and an image a layer's digest before the
 *         bytes -> each is packed into the caller's descriptor -> the image's texts follow (image-write.h)
 *
 * What is written goes from warder-files to the caller past us. The layers are held until the end, whoever removes the
 * snapshot meanwhile. What was written when it fails has no end mark: no reader takes it for whole.
 */
#include "supervisor/front/store/snapshot-export.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/log.h"
#include "supervisor/front/client-fds.h"
#include "supervisor/front/gate/gate-plan.h"
#include "supervisor/front/store/image-write.h"
#include "supervisor/front/store/layer-keep.h"
#include "supervisor/front/store/snapshot-show.h"

typedef enum Step { STEP_TREE, STEP_MEASURE, STEP_LAYER, STEP_TEXTS, STEP_DONE } Step;

typedef struct Exporting {
        Front *front;
        Call *call; /* answered by us */
        int out;    /* borrowed from it */
        SnapshotInfo info;
        LayerKeep layers;
        Step step;
        unsigned at; /* layer of it, from the lowest; counted down */
        ImageLayerArchive archives[PLAN_LAYERS_MAX];
        uint64_t written, entries; /* by the jobs that have ended */
        uint64_t bytes_now, entries_now;
        bool has_digest;
} Exporting;

static Exporting *exporting_free(Exporting *exporting) {
        if (!exporting)
                return NULL;
        layer_keep_end(&exporting->layers);
        free(exporting);
        return NULL;
}
DEFINE_SCOPED(Exporting *, exporting_free);

static void answer(Exporting *exporting) {
        SCOPED(exporting_free) Exporting *owned = exporting;
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "name", owned->info.name);
        json_add_number(json, "bytes", owned->written);
        json_add_number(json, "entries", owned->entries);
        snapshot_add_layers(json, &owned->info);
        log_event(LOG_INFO, "snapshot exported", F("SNAPSHOT", owned->info.name));
        call_answer(owned->call, json, NULL, 0);
}

static void fail(Exporting *exporting, const Error *err) {
        SCOPED(exporting_free) Exporting *owned = exporting;

        call_fail(owned->call, err->code == -EUCLEAN ? NULL : "internal", err);
}

/* ---- jobs ---------------------------------------------------------------------------------------- */

static void tell_progress(const Exporting *exporting) {
        cJSON *params = cJSON_CreateObject();

        json_add_number(params, "bytes", exporting->written + exporting->bytes_now);
        json_add_number(params, "entries", exporting->entries + exporting->entries_now);
        call_notify(exporting->call, "snapshot.progress", params);
}

static void on_record(const Record *record, void *userdata) {
        Exporting *exporting = userdata;
        ImageLayerArchive *archive = &exporting->archives[exporting->at];

        switch (record->head.kind) {
        case RECORD_PROGRESS:
                exporting->bytes_now = record->head.a;
                exporting->entries_now = record->head.b;
                if (exporting->step != STEP_MEASURE)
                        tell_progress(exporting);
                break;
        case RECORD_DIGEST:
                exporting->has_digest = record->head.size == DIGEST_SIZE;
                if (exporting->step == STEP_MEASURE && exporting->has_digest)
                        memcpy(archive->digest, record->data, DIGEST_SIZE);
                break;
        case RECORD_TOTALS:
                exporting->bytes_now = record->head.a;
                exporting->entries_now = record->head.b;
                if (exporting->step == STEP_MEASURE)
                        archive->size = record->head.a;
                break;
        default:
                break;
        }
}

static int next_job(Exporting *exporting, Error *err);

static void step_on(Exporting *exporting) {
        bool more = exporting->at > 0;

        if (exporting->step != STEP_MEASURE) {
                exporting->written += exporting->bytes_now;
                exporting->entries += exporting->entries_now;
        }
        exporting->bytes_now = exporting->entries_now = 0;
        if ((exporting->step == STEP_MEASURE || exporting->step == STEP_LAYER) && more) {
                exporting->at--;
                return;
        }
        exporting->at = exporting->info.n_layers - 1;
        exporting->step = exporting->step == STEP_MEASURE ? STEP_LAYER
                          : exporting->step == STEP_LAYER ? STEP_TEXTS
                                                          : STEP_DONE;
}

static void on_done(const FilesJobEnd *end, void *userdata) {
        Exporting *exporting = userdata;
        Error err = ERROR_EMPTY;

        if (end->err) {
                fail(exporting, end->err);
                return;
        }
        if (exporting->step == STEP_MEASURE && !exporting->has_digest) {
                error_say(&err, -EPROTO, "warder-files did not name a layer's digest");
                fail(exporting, &err);
                return;
        }
        step_on(exporting);
        if (exporting->step == STEP_DONE)
                answer(exporting);
        else if (next_job(exporting, &err) < 0)
                fail(exporting, &err);
}

static int start_job(Exporting *exporting, FilesJobSpec *job, Error *err) {
        FilesJob *started;

        job->owner_uid = call_peer(exporting->call)->uid;
        job->output_fd = exporting->step == STEP_MEASURE ? -EBADF : exporting->out;
        return files_job_start(exporting->front, job, on_record, on_done, exporting, &started, err);
}

static int pack_tree(Exporting *exporting, Error *err) {
        static const char *const argv[] = { "pack", NULL };
        const SnapshotInfo *info = &exporting->info;
        FilesJobSpec job = { .argv = argv, .input_fd = -EBADF };
        int r = gate_files_plan(exporting->front, &job.plan, err);

        if (r >= 0)
                r = plan_store_view(&job.plan, VIEW_TREE, info->layers, info->n_layers, err);
        return r < 0 ? r : start_job(exporting, &job, err);
}

static int pack_layer(Exporting *exporting, Error *err) {
        const ImageLayerArchive *archive = &exporting->archives[exporting->at];
        char size[24], digest[DIGEST_TEXT_MAX], path[IMAGE_BLOB_PATH_MAX];
        const char *measure[] = { "pack", "--measure", NULL };
        const char *pack[] = { "pack", "--blob", path, "--size", size, "--digest", digest, NULL };
        FilesJobSpec job = { .argv = exporting->step == STEP_MEASURE ? measure : pack,
                             .input_fd = -EBADF };
        PlanLayer layer = { .kind = LAYER_STORE };
        int r = gate_files_plan(exporting->front, &job.plan, err);

        (void) snprintf(size, sizeof(size), "%" PRIu64, archive->size);
        (void) digest_format(archive->digest, digest);
        (void) image_blob_path(archive->digest, path);
        memcpy(layer.digest, exporting->info.layers[exporting->at], DIGEST_SIZE);
        exporting->has_digest = false;
        if (r >= 0)
                r = plan_view(&job.plan, VIEW_TREE, VIEW_DIRECT, &layer, 1, err);
        return r < 0 ? r : start_job(exporting, &job, err);
}

static int pack_texts(Exporting *exporting, Error *err) {
        static const char *const argv[] = { "pack", "--tail", NULL };
        SCOPED(json_free) cJSON *config = snapshots_config(exporting->front, &exporting->info);
        FilesJobSpec job = { .argv = argv };
        Buf texts = BUF_EMPTY(IMAGE_TEXT_MAX);
        autoclose int input = -EBADF;
        int r = image_write_texts(&exporting->info, config, exporting->archives, &texts);

        if (r < 0)
                error_set(err, r, "describe the image");
        else
                input = memfd_sealed("image", texts.data, texts.len, false, err);
        buf_deinit(&texts);
        if (input < 0)
                return r < 0 ? r : input;
        job.input_fd = input;
        r = gate_files_plan(exporting->front, &job.plan, err);
        return r < 0 ? r : start_job(exporting, &job, err);
}

static int next_job(Exporting *exporting, Error *err) {
        return exporting->step == STEP_TREE    ? pack_tree(exporting, err)
               : exporting->step == STEP_TEXTS ? pack_texts(exporting, err)
                                               : pack_layer(exporting, err);
}

/* ---- the request --------------------------------------------------------------------------------- */

/* Who only knows that it is there, as administrators do of a private one, gets nothing of what is in it */
static int take_snapshot(Exporting *exporting, const cJSON *params, Error *err) {
        SnapshotInfo *info = &exporting->info;
        int r = snapshot_named(exporting->front, exporting->call, params, info, err);

        if (r >= 0 && !snapshot_may_read(exporting->call, info))
                r = call_owns(exporting->call, info->owner_uid, err);
        if (r < 0)
                return r;
        if (info->n_layers > 0)
                return layer_keep(&exporting->layers, exporting->front, info->layers,
                                  info->n_layers, err);
        call_refuse(exporting->call, "unsupported", "/name", NULL);
        return error_say(err, -ENOTSUP,
                         "the snapshot host is this host's own root, which is in no store");
}

static int run_export(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        SCOPED(exporting_free) Exporting *exporting = calloc(1, sizeof(*exporting));
        const char *format = json_text(params, "format");
        int r;

        (void) ret_result;
        if (!exporting)
                return error_set(err, -ENOMEM, "export a snapshot");
        *exporting = (Exporting){ .front = front, .call = call, .out = call_fd(call, 0) };
        r = client_fd_check(&front->pipes, exporting->out, CLIENT_FD_STDIO, err);
        if (r < 0) {
                call_refuse(call, "invalid", "", NULL);
                return r;
        }
        r = take_snapshot(exporting, params, err);
        if (r < 0)
                return r;
        exporting->step = format && strcmp(format, "oci") == 0 ? STEP_MEASURE : STEP_TREE;
        exporting->at = exporting->info.n_layers - 1;
        r = next_job(exporting, err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(exporting);
        return 0;
}

const MethodRow snapshot_export_row = { "snapshot.export", run_export };

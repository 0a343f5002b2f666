/*
 * snapshot-import: see snapshot-import.h.
 *
 *   quota -> the archive is unpacked (layer-import.c) -> it was a tree: that is the snapshot
 *                                                     -> it is an image: image-import.c -> its layers are
 */
#include "supervisor/front/snapshot-import.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/client-fds.h"
#include "supervisor/front/image-import.h"
#include "supervisor/front/layers.h"
#include "supervisor/front/quotas.h"
#include "supervisor/front/snapshots.h"

#define IMPORT_BYTES_MAX   (64ull << 30)
#define IMPORT_ENTRIES_MAX 4000000ull

static const char import_schema[] =
        "{\"type\":\"object\",\"required\":[\"name\"],\"additionalProperties\":false,"
        "\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64},"
        "\"public\":{\"type\":\"boolean\"},"
        "\"image\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255},"
        "\"limits\":{\"type\":\"object\",\"additionalProperties\":false,"
        "\"properties\":{\"bytes\":{\"type\":\"integer\",\"minimum\":1},"
        "\"entries\":{\"type\":\"integer\",\"minimum\":1}}}}}";

typedef struct Importing {
        Front *front;
        Call *call; /* answered by us */
        char name[72];
        char image[IMAGE_NAME_MAX]; /* "": none was named */
        uint32_t owner_uid;
        bool is_public;
        uint64_t max_bytes, max_entries;
        uint64_t reserved; /* bytes on disk, in the owner's account, until the end */
} Importing;

static void on_progress(uint64_t bytes, uint64_t entries, void *userdata) {
        const Importing *importing = userdata;
        cJSON *params = cJSON_CreateObject();

        json_add_number(params, "bytes", bytes);
        json_add_number(params, "entries", entries);
        call_notify(importing->call, "snapshot.progress", params);
}

static cJSON *describe(const SnapshotInfo *info, const cJSON *cleaned, uint64_t cleaned_total) {
        cJSON *json = cJSON_CreateObject(), *list;
        char text[DIGEST_TEXT_MAX];

        json_add_text(json, "name", info->name);
        list = json_add_array(json, "layers");
        for (unsigned i = 0; i < info->n_layers; i++)
                json_push_text(list, digest_format(info->layers[i], text));
        json_add_number(json, "bytes", info->bytes);
        json_add_number(json, "entries", info->entries);
        json_add_consume(json, "cleaned", cJSON_Duplicate(cleaned, true));
        json_add_number(json, "cleaned_total", cleaned_total);
        return json;
}

/* The last step: @result is all there is to name, @err why there is nothing. */
static void conclude(Importing *importing, const ImageResult *result, const Error *err,
                     bool refused) {
        autofree Importing *owned = importing;
        SnapshotInfo info;
        Error own = ERROR_EMPTY;
        cJSON *json;

        quota_release_import(owned->front, owned->owner_uid, owned->reserved);
        if (err) {
                call_fail(owned->call, refused ? "invalid" : "internal", err);
                return;
        }
        /* cppcheck-suppress nullPointer ; where there is no @err there is a result */
        info = result->info;
        info.owner_uid = owned->owner_uid;
        info.is_public = owned->is_public;
        info.created_usec = units_now();
        (void) snprintf(info.name, sizeof info.name, "%s", owned->name);
        /* cppcheck-suppress nullPointer ; likewise */
        if (snapshots_add(owned->front, &info, result->config, &own) < 0) {
                quota_refuse(owned->front, owned->call, &own);
                call_fail(owned->call, NULL, &own);
                return;
        }
        json = describe(&info, result->cleaned, result->cleaned_total);
        if (result->config)
                json_add_consume(json, "image", cJSON_Duplicate(result->config, true));
        log_event(LOG_INFO, "snapshot imported", F("SNAPSHOT", info.name));
        call_answer(owned->call, json, NULL, 0);
}

static void on_image(const ImageResult *result, const Error *err, bool refused, void *userdata) {
        conclude(userdata, result, err, refused);
}

static void take_image(Importing *importing, const LayerImport *import) {
        const ImageImportSpec spec = { .image = import,
                                       .name = *importing->image ? importing->image : NULL,
                                       .max_bytes = importing->max_bytes,
                                       .max_entries = importing->max_entries,
                                       .max_disk = importing->reserved,
                                       .owner_uid = importing->owner_uid,
                                       .progress = on_progress };
        Error err = ERROR_EMPTY;

        if (image_import(importing->front, &spec, on_image, importing, &err) < 0)
                conclude(importing, NULL, &err, false);
}

static void on_imported(const LayerImport *import, const Error *err, bool refused, void *userdata) {
        Importing *importing = userdata;
        ImageResult result = {
                .cleaned = import->cleaned,
                .cleaned_total = import->cleaned_total,
                .info = { .n_layers = 1, .bytes = import->bytes, .entries = import->entries }
        };
        Error own = ERROR_EMPTY;

        if (!err && import->image) {
                take_image(importing, import);
                return;
        }
        memcpy(result.info.layers[0], import->digest, sizeof result.info.layers[0]);
        if (!err && *importing->image) {
                error_say(&own, -EINVAL, "this is a tree, not an image of which one can be chosen");
                err = &own;
                refused = true;
        }
        conclude(importing, &result, err, refused);
}

static void take_limits(LayerImportSpec *spec, const cJSON *limits, uint64_t left) {
        uint64_t value;

        if (json_number(limits, "bytes", &value) == 0 && value < spec->max_bytes)
                spec->max_bytes = value;
        if (json_number(limits, "entries", &value) == 0 && value < spec->max_entries)
                spec->max_entries = value;
        spec->max_disk = spec->max_bytes + LAYER_ENTRY_BYTES * spec->max_entries;
        if (spec->max_disk > left)
                spec->max_disk = left;
}

/* What is reserved is given back when it ends, in conclude(), or here where it does not begin. */
static int start_import(Front *front, Call *call, const LayerImportSpec *spec, const cJSON *params,
                        Error *err) {
        autofree Importing *importing = calloc(1, sizeof *importing);
        const char *image = json_text(params, "image");
        int r;

        if (!importing)
                return error_set(err, -ENOMEM, "import a snapshot");
        *importing = (Importing){ .front = front,
                                  .call = call,
                                  .owner_uid = spec->owner_uid,
                                  .is_public = spec->owner_uid == 0,
                                  .max_bytes = spec->max_bytes,
                                  .max_entries = spec->max_entries,
                                  .reserved = spec->max_disk };
        if (json_get(params, "public"))
                importing->is_public = cJSON_IsTrue(json_get(params, "public"));
        (void) snprintf(importing->name, sizeof importing->name, "%s", json_text(params, "name"));
        (void) snprintf(importing->image, sizeof importing->image, "%s", image ? image : "");
        r = quota_reserve_import(front, spec->owner_uid, spec->max_disk, err);
        if (r < 0)
                return r;
        r = layer_import(front, spec, on_imported, importing, err);
        if (r < 0) {
                quota_release_import(front, spec->owner_uid, spec->max_disk);
                return r;
        }
        (void) TAKE_PTR(importing);
        return 0;
}

static int run_import(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        LayerImportSpec spec = { .input_fd = call_fd(call, 0),
                                 .takes_image = true,
                                 .max_bytes = IMPORT_BYTES_MAX,
                                 .max_entries = IMPORT_ENTRIES_MAX,
                                 .owner_uid = call_peer(call)->uid,
                                 .progress = on_progress };
        uint64_t left = UINT64_MAX;
        int r;

        (void) ret_result;
        r = snapshots_check_new(front, json_text(params, "name"), spec.owner_uid, 1, &left, err);
        if (r < 0) {
                call_refuse(call,
                            r == -EEXIST   ? "exists"
                            : r == -EDQUOT ? "quota"
                                           : "invalid",
                            "/name", NULL);
                return r;
        }
        r = client_fd_check(&front->pipes, spec.input_fd, CLIENT_FD_INPUT, err);
        if (r < 0)
                return r;
        r = quota_charge_create(front, spec.owner_uid, err);
        if (r < 0)
                return r;
        take_limits(&spec, json_get(params, "limits"), left);
        return start_import(front, call, &spec, params, err);
}

const MethodRow snapshot_import_row = {
        .name = "snapshot.import",
        .params = import_schema,
        .result = "{\"type\":\"object\",\"required\":[\"name\",\"layers\",\"bytes\",\"entries\","
                  "\"cleaned\",\"cleaned_total\"]}",
        .n_fds_max = 1,
        .may_wait = true,
        .summary = "Make a snapshot of a tar archive, compressed or not, of a tree or of a "
                   "container image; the descriptor is a pipe or a file",
        .charge = "disk",
        .run = run_import,
};

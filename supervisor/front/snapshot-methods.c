/*
 * snapshot-methods: see snapshot-methods.h.
 */
#include "supervisor/front/snapshot-methods.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/client-fds.h"
#include "supervisor/front/layers.h"
#include "supervisor/front/quotas.h"
#include "supervisor/front/snapshots.h"

#define IMPORT_BYTES_MAX   (64ull << 30)
#define IMPORT_ENTRIES_MAX 4000000ull

#define NAME_PARAM "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64}"
#define NAME_SCHEMA                                                                    \
        "{\"type\":\"object\",\"required\":[\"name\"],\"additionalProperties\":false," \
        "\"properties\":{" NAME_PARAM                                                  \
        ",\"owner_uid\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":4294967294}}}"

static const char import_schema[] =
        "{\"type\":\"object\",\"required\":[\"name\"],\"additionalProperties\":false,"
        "\"properties\":"
        "{" NAME_PARAM ",\"limits\":{\"type\":\"object\",\"additionalProperties\":false,"
        "\"properties\":{\"bytes\":{\"type\":\"integer\",\"minimum\":1},"
        "\"entries\":{\"type\":\"integer\",\"minimum\":1}}}}}";

typedef struct Importing {
        Front *front;
        Call *call; /* answered by us */
        char name[72];
        uint32_t owner_uid;
        uint64_t reserved; /* bytes, in the owner's account */
} Importing;

static void add_layers(cJSON *json, const SnapshotInfo *info) {
        cJSON *list = json_add_array(json, "layers");
        char text[DIGEST_TEXT_MAX];

        for (unsigned i = 0; i < info->n_layers; i++)
                json_push_text(list, digest_format(info->layers[i], text));
}

static cJSON *describe(const SnapshotInfo *info) {
        cJSON *json = cJSON_CreateObject();
        char time[UNITS_TEXT_MAX];

        json_add_text(json, "name", info->name);
        add_layers(json, info);
        if (info->n_layers == 0)
                return json;
        json_add_number(json, "bytes", info->bytes);
        json_add_number(json, "entries", info->entries);
        json_add_text(json, "created", units_format_time(info->created_usec, time));
        json_add_number(json, "owner_uid", info->owner_uid);
        return json;
}

static void on_progress(uint64_t bytes, uint64_t entries, void *userdata) {
        const Importing *importing = userdata;
        cJSON *params = cJSON_CreateObject();

        json_add_number(params, "bytes", bytes);
        json_add_number(params, "entries", entries);
        call_notify(importing->call, "snapshot.progress", params);
}

static void answer(const Importing *importing, const SnapshotInfo *info,
                   const LayerImport *import) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "name", info->name);
        add_layers(json, info);
        json_add_number(json, "bytes", info->bytes);
        json_add_number(json, "entries", info->entries);
        json_add_consume(json, "cleaned", cJSON_Duplicate(import->cleaned, true));
        json_add_number(json, "cleaned_total", import->cleaned_total);
        log_event(LOG_INFO, "snapshot imported", F("SNAPSHOT", info->name));
        call_answer(importing->call, json, NULL, 0);
}

static void on_imported(const LayerImport *import, const Error *err, bool refused, void *userdata) {
        autofree Importing *importing = userdata;
        SnapshotInfo info = { .n_layers = 1,
                              .bytes = import->bytes,
                              .entries = import->entries,
                              .created_usec = units_now(),
                              .owner_uid = importing->owner_uid };
        Error own = ERROR_EMPTY;

        quota_release_import(importing->front, importing->owner_uid, importing->reserved);
        if (err) {
                call_fail(importing->call, refused ? "invalid" : "internal", err);
                return;
        }
        (void) snprintf(info.name, sizeof info.name, "%s", importing->name);
        memcpy(info.layers[0], import->digest, sizeof info.layers[0]);
        if (snapshots_add(importing->front, &info, &own) < 0) {
                (void) layer_discard(importing->front, import->digest, NULL);
                quota_refuse(importing->front, importing->call, &own);
                call_fail(importing->call, NULL, &own);
                return;
        }
        answer(importing, &info, import);
}

static void take_limits(LayerImportSpec *spec, const cJSON *limits) {
        uint64_t value;

        if (json_number(limits, "bytes", &value) == 0 && value < spec->max_bytes)
                spec->max_bytes = value;
        if (json_number(limits, "entries", &value) == 0 && value < spec->max_entries)
                spec->max_entries = value;
}

/* What is reserved is given back when it ends, in on_imported(), or here where it does not begin. */
static int start_import(Front *front, Call *call, const LayerImportSpec *spec, const char *name,
                        Error *err) {
        autofree Importing *importing = calloc(1, sizeof *importing);
        int r;

        if (!importing)
                return error_set(err, -ENOMEM, "import a snapshot");
        *importing = (Importing){ .front = front,
                                  .call = call,
                                  .owner_uid = spec->owner_uid,
                                  .reserved = spec->max_bytes };
        (void) snprintf(importing->name, sizeof importing->name, "%s", name);
        r = quota_reserve_import(front, spec->owner_uid, spec->max_bytes, err);
        if (r < 0)
                return r;
        r = layer_import(front, spec, on_imported, importing, err);
        if (r < 0) {
                quota_release_import(front, spec->owner_uid, spec->max_bytes);
                return r;
        }
        (void) TAKE_PTR(importing);
        return 0;
}

static int run_import(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        LayerImportSpec spec = { .input_fd = call_fd(call, 0),
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
        take_limits(&spec, json_get(params, "limits"));
        if (spec.max_bytes > left)
                spec.max_bytes = left;
        if (spec.max_entries > left / SNAPSHOT_ENTRY_BYTES + 1)
                spec.max_entries = left / SNAPSHOT_ENTRY_BYTES + 1;
        return start_import(front, call, &spec, json_text(params, "name"), err);
}

static void push(const SnapshotInfo *info, void *userdata) {
        json_push_consume(userdata, describe(info));
}

static int run_list(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        cJSON *list = json_add_array(json, "snapshots");
        int r;

        (void) params;
        if (!list)
                return error_set(err, -ENOMEM, "list the snapshots");
        r = snapshots_each(front, call_uid(call), push, list, err);
        if (r >= 0)
                *ret_result = TAKE_PTR(json);
        return r;
}

/*
 * What the caller means: without "owner_uid" its own, else root's; with it that owner's and no other, if it
 * may know of them. For others' the answer is the one for a name that nobody has.
 */
static int find_named(Front *front, Call *call, const cJSON *params, SnapshotInfo *ret,
                      Error *err) {
        const char *name = json_text(params, "name");
        uint32_t uid = call_peer(call)->uid;
        uint64_t owner;
        int r;

        if (json_number(params, "owner_uid", &owner) < 0)
                r = snapshots_find(front, name, uid, ret, err);
        else if (owner == 0 || owner == uid || call_uid(call) == 0)
                r = snapshots_find_of(front, name, (uint32_t) owner, ret, err);
        else /* looked for all the same: the answer takes as long */
                r = snapshots_find_of(front, name, UINT32_MAX, ret, err);
        if (r < 0)
                call_refuse(call, r == -ENOENT ? "not_found" : "internal", "/name", NULL);
        return r;
}

static int run_show(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        SnapshotInfo info;
        int r = find_named(front, call, params, &info, err);

        if (r < 0)
                return r;
        *ret_result = describe(&info);
        return *ret_result ? 0 : error_set(err, -ENOMEM, "show a snapshot");
}

/* An administrator names whose: what it sees by a name alone may be another's than it thinks. */
static int check_remove(Call *call, const cJSON *params, const SnapshotInfo *info, Error *err) {
        if (info->n_layers == 0 || info->owner_uid == call_peer(call)->uid ||
            (call_uid(call) == 0 && json_get(params, "owner_uid")))
                return 0;
        call_refuse(call, "denied", "/name", NULL);
        return error_say(err, -EPERM, "snapshot %s belongs to the administrator", info->name);
}

static int run_remove(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        SnapshotInfo info;
        int r = find_named(front, call, params, &info, err);

        if (r >= 0)
                r = check_remove(call, params, &info, err);
        if (r < 0)
                return r;
        r = snapshots_remove(front, &info, err);
        if (r < 0) {
                call_refuse(call, r == -EPERM ? "denied" : "internal", "/name", NULL);
                return r;
        }
        *ret_result = cJSON_CreateObject();
        return *ret_result ? 0 : error_set(err, -ENOMEM, "remove a snapshot");
}

const MethodRow snapshot_methods[] = {
        { .name = "snapshot.import",
          .params = import_schema,
          .result = "{\"type\":\"object\",\"required\":[\"name\",\"layers\",\"bytes\",\"entries\","
                    "\"cleaned\",\"cleaned_total\"]}",
          .n_fds_max = 1,
          .may_wait = true,
          .summary =
                  "Make a snapshot of a tar archive, compressed or not; the descriptor is a pipe "
                  "or a file",
          .charge = "disk",
          .run = run_import },
        { .name = "snapshot.list",
          .params = "{\"type\":\"object\",\"additionalProperties\":false}",
          .result = "{\"type\":\"object\",\"required\":[\"snapshots\"]}",
          .summary = "The snapshots that the caller can use; host is always there",
          .charge = "none",
          .run = run_list },
        { .name = "snapshot.show",
          .params = NAME_SCHEMA,
          .result = "{\"type\":\"object\",\"required\":[\"name\",\"layers\"]}",
          .summary = "One snapshot",
          .charge = "none",
          .run = run_show },
        { .name = "snapshot.remove",
          .params = NAME_SCHEMA,
          .result = "{\"type\":\"object\"}",
          .summary = "Forget a snapshot; layers that nothing else needs go with it",
          .charge = "none",
          .run = run_remove },
        { 0 },
};

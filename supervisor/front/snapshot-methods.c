/*
 * snapshot-methods: see snapshot-methods.h.
 */
#include "supervisor/front/snapshot-methods.h"

#include <string.h>

#include "base/digest.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/snapshots.h"

#define NAME_PARAM "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":64}"
#define NAME_SCHEMA                                                                    \
        "{\"type\":\"object\",\"required\":[\"name\"],\"additionalProperties\":false," \
        "\"properties\":{" NAME_PARAM                                                  \
        ",\"owner_uid\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":4294967294}}}"

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
        cJSON *config;
        int r = find_named(front, call, params, &info, err);

        if (r < 0)
                return r;
        *ret_result = describe(&info);
        config = snapshots_config(front, &info);
        if (config)
                json_add_consume(*ret_result, "image", config);
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

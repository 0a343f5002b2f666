/*
 * snapshot-show: see snapshot-show.h.
 */
#include "supervisor/front/store/snapshot-show.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/jails/jails.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/store/layer-records.h"

int snapshot_named(Front *front, Call *call, const cJSON *params, SnapshotInfo *ret, Error *err) {
        const char *name = json_text(params, "name");
        uint32_t uid = call_peer(call)->uid;
        uint64_t owner;
        int r;

        if (json_number(params, "owner_uid", &owner) < 0)
                r = snapshots_find(front, name, uid, ret, err);
        else
                r = snapshots_find_of(front, name, (uint32_t) owner,
                                      owner != uid && call_uid(call) != 0, ret, err);
        if (r < 0)
                call_refuse(call, r == -ENOENT ? "not_found" : "internal", "/name", NULL);
        return r;
}

int snapshot_check_owner(Call *call, const cJSON *params, const SnapshotInfo *info, Error *err) {
        if (info->n_layers == 0 || info->owner_uid == call_peer(call)->uid ||
            (call_uid(call) == 0 && json_get(params, "owner_uid")))
                return 0;
        call_refuse(call, "denied", "/name", NULL);
        if (info->owner_uid == 0)
                return error_say(err, -EPERM, "snapshot %s belongs to the administrator",
                                 info->name);
        return error_say(err, -EPERM, "snapshot %s belongs to uid %u", info->name, info->owner_uid);
}

bool snapshot_may_read(const Call *call, const SnapshotInfo *info) {
        uint32_t uid = call_peer(call)->uid;

        return info->n_layers == 0 || info->is_public || uid == 0 || uid == info->owner_uid;
}

void snapshot_add_layers(cJSON *json, const SnapshotInfo *info) {
        cJSON *list = json_add_array(json, "layers");
        char text[DIGEST_TEXT_MAX];

        for (unsigned i = 0; i < info->n_layers; i++)
                json_push_text(list, digest_format(info->layers[i], text));
}

/* Root's are meant by their names alone where the reader has none of that name */
static bool is_meant(Front *front, const SnapshotInfo *info, uint32_t uid) {
        return info->owner_uid == uid ||
               (info->owner_uid == 0 && info->is_public &&
                ledger_number(front->ledger, 1,
                              "SELECT count(*) FROM snapshots WHERE owner = ? AND name = ?", "it",
                              (int64_t) uid, info->name) == 0);
}

cJSON *snapshot_describe(Front *front, const SnapshotInfo *info, uint32_t uid) {
        cJSON *json = cJSON_CreateObject();
        char text[UNITS_TEXT_MAX], ref[SNAPSHOT_REF_MAX];

        json_add_text(json, "name", info->name);
        snapshot_add_layers(json, info);
        if (info->n_layers == 0)
                return json;
        json_add_number(json, "bytes", info->bytes);
        json_add_number(json, "entries", info->entries);
        json_add_text(json, "created", units_format_time(info->created_usec, text));
        json_add_number(json, "owner_uid", info->owner_uid);
        json_add_bool(json, "public", info->is_public);
        (void) snprintf(ref, sizeof ref, "%u:%s", info->owner_uid, info->name);
        json_add_text(json, "ref", is_meant(front, info, uid) ? info->name : ref);
        return json;
}

/* How many snapshots of one user stand on it */
static uint64_t count_snapshots(Front *front, const uint8_t *digest, uint32_t uid) {
        const SnapshotHolders holders = snapshot_holders(uid);

        return (uint64_t) ledger_number(front->ledger, 0,
                                        "SELECT count(*) FROM holds WHERE digest = ?1 AND "
                                        "holder >= ?2 AND holder < ?3",
                                        "btt", digest, DIGEST_SIZE, holders.from, holders.to);
}

static cJSON *describe_part(Front *front, const uint8_t *digest, uint32_t uid) {
        cJSON *part = cJSON_CreateObject();
        char text[UNITS_TEXT_MAX], name[DIGEST_TEXT_MAX];
        LayerRecord record;

        json_add_text(part, "layer", digest_format(digest, name));
        if (layer_record_find(front, digest, &record)) {
                json_add_number(part, "bytes", record.bytes);
                json_add_number(part, "entries", record.entries);
        }
        if (record.created_usec)
                json_add_text(part, "created", units_format_time(record.created_usec, text));
        if (record.checked_usec)
                json_add_text(part, "checked", units_format_time(record.checked_usec, text));
        if (*record.fault)
                json_add_text(part, "fault", record.fault);
        json_add_number(part, "snapshots", count_snapshots(front, digest, uid));
        return part;
}

void snapshot_add_parts(Front *front, cJSON *json, const SnapshotInfo *info, uint32_t uid) {
        cJSON *list = json_add_array(json, "parts");

        for (unsigned i = 0; i < info->n_layers; i++)
                json_push_consume(list, describe_part(front, info->layers[i], uid));
}

static bool stands_on(const FrontJail *jail, const uint8_t *digest) {
        const Plan *plan = front_jail_plan(jail);

        for (unsigned i = 0; i < plan->n_layers; i++)
                if (plan->layers[i].kind == LAYER_STORE &&
                    memcmp(plan->layers[i].digest, digest, DIGEST_SIZE) == 0)
                        return true;
        return false;
}

bool layer_in_jail(const Front *front, const uint8_t *digest) {
        for (const FrontJail *jail = front->jails; jail; jail = front_jail_next(jail))
                if (stands_on(jail, digest))
                        return true;
        return false;
}

void snapshot_add_jails(Front *front, cJSON *json, const SnapshotInfo *info, uint32_t uid) {
        cJSON *list = json_add_array(json, "jails");
        uint64_t others = 0;

        for (const FrontJail *jail = front->jails; jail; jail = front_jail_next(jail)) {
                bool stands = false;

                for (unsigned i = 0; i < info->n_layers && !stands; i++)
                        stands = stands_on(jail, info->layers[i]);
                if (stands && front_jail_is_listed(jail) &&
                    (uid == 0 || front_jail_owner(jail) == uid))
                        json_push_text(list, front_jail_id(jail));
                else
                        others += stands;
        }
        json_add_number(json, "other_jails", others);
}

/*
 * snapshot-methods: see snapshot-methods.h.
 */
#include "supervisor/front/store/snapshot-methods.h"

#include <string.h>

#include "base/owned.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/paging.h"
#include "supervisor/front/store/layer-import.h"
#include "supervisor/front/store/layer-records.h"
#include "supervisor/front/store/snapshot-fsck.h"
#include "supervisor/front/store/snapshot-gc.h"
#include "supervisor/front/store/snapshot-show.h"
#include "supervisor/front/store/snapshot-tag.h"

#define LIST_PART 's'

typedef struct Listing {
        Paging paging;
        Front *front; /* borrowed, like the next */
        cJSON *list;
        uint32_t uid;
} Listing;

static bool push(const SnapshotInfo *info, void *userdata) {
        Listing *listing = userdata;
        const PagePlace place = { .part = LIST_PART, .has_place = true, .number = info->row };

        return paging_push_consume(&listing->paging, listing->list,
                                   snapshot_describe(listing->front, info, listing->uid), &place,
                                   0);
}

static bool push_host(const Listing *listing) {
        SnapshotInfo host;

        return !listing->paging.is_first ||
               snapshots_find(listing->front, "host", 0, &host, NULL) < 0 ||
               json_push_consume(listing->list, snapshot_describe(listing->front, &host, 0));
}

static int run_list(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        static const char parts[] = { LIST_PART, 0 };
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        Listing listing = { .front = front,
                            .list = json_add_array(json, "snapshots"),
                            .uid = call_peer(call)->uid };
        SnapshotsFrom from = { .uid = call_uid(call) };
        int r = paging_begin(&listing.paging, parts, params, err);
        PagePlace place;

        if (r < 0)
                call_refuse(call, "invalid", "/cursor", NULL);
        if (r >= 0 && !push_host(&listing))
                r = error_set(err, -ENOMEM, "list the snapshots");
        if (r < 0)
                return r;
        if (paging_from(&listing.paging, LIST_PART, &place)) {
                from.after = place.number;
                r = snapshots_each(front, &from, push, &listing, err);
        }
        if (r < 0)
                return r;
        paging_end(&listing.paging, json);
        *ret_result = TAKE_PTR(json);
        return 0;
}

static int run_show(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        uint32_t uid = call_uid(call);
        SnapshotInfo info;
        cJSON *config;
        int r = snapshot_named(front, call, params, &info, err);

        if (r < 0)
                return r;
        *ret_result = snapshot_describe(front, &info, call_peer(call)->uid);
        snapshot_add_parts(front, *ret_result, &info, info.owner_uid);
        snapshot_add_jails(front, *ret_result, &info, uid);
        config = snapshot_may_read(call, &info) ? snapshots_config(front, &info) : NULL;
        if (config)
                json_add_consume(*ret_result, "image", config);
        return *ret_result ? 0 : error_set(err, -ENOMEM, "show a snapshot");
}

/* What goes now and what waits for jails. Layers that somebody still holds do neither. */
/* Returns: does something wait */
static bool add_freed(Front *front, cJSON *json, const SnapshotInfo *info) {
        uint64_t bytes = 0, freed = 0, waiting = 0;

        for (unsigned i = 0; i < info->n_layers; i++) {
                LayerRecord record;

                if (ledger_number(front->ledger, 1, "SELECT count(*) FROM holds WHERE digest = ?",
                                  "b", info->layers[i], 32) > 0)
                        continue;
                if (layer_in_jail(front, info->layers[i])) {
                        waiting++;
                        continue;
                }
                (void) layer_record_find(front, info->layers[i], &record);
                bytes += layer_disk_bytes(record.bytes, record.entries);
                freed++;
        }
        json_add_number(json, "layers", freed);
        json_add_number(json, "bytes", bytes);
        json_add_number(json, "waiting", waiting);
        return waiting > 0;
}

static int run_remove(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                      Error *err) {
        SnapshotInfo info;
        int r = snapshot_named(front, call, params, &info, err);

        if (r >= 0)
                r = snapshot_check_owner(call, params, &info, err);
        if (r < 0)
                return r;
        r = snapshots_remove(front, &info, err);
        if (r < 0) {
                call_refuse(call, r == -EPERM ? "denied" : "internal", "/name", NULL);
                return r;
        }
        *ret_result = cJSON_CreateObject();
        if (add_freed(front, *ret_result, &info))
                snapshot_add_jails(front, *ret_result, &info, call_uid(call));
        return *ret_result ? 0 : error_set(err, -ENOMEM, "remove a snapshot");
}

const MethodRow snapshot_methods[] = {
        { "snapshot.fsck", snapshot_fsck },
        { "snapshot.gc", snapshot_gc },
        { "snapshot.list", run_list },
        { "snapshot.remove", run_remove },
        { "snapshot.show", run_show },
        { "snapshot.tag", snapshot_tag },
        { NULL, NULL },
};

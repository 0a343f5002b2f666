/*
 * snapshot-gc: see snapshot-gc.h.
 */
#include "supervisor/front/store/snapshot-gc.h"

#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/gate/setup-cache.h"
#include "supervisor/front/store/layers-on-disk.h"
#include "supervisor/front/store/layers.h"
#include "supervisor/front/tasks/tasks.h"

static void answer(const LayersCollected *total, void *userdata) {
        Call *call = userdata;
        cJSON *json = cJSON_CreateObject();

        json_add_number(json, "layers", total->layers);
        json_add_number(json, "bytes", total->bytes);
        json_add_number(json, "waiting", total->waiting);
        call_answer(call, json, NULL, 0);
}

/*
 * Those that nothing stands on now; each goes from the ledger at once, so this comes to an end.
 *
 * Layers that a jail still has wait for it: the monitor refuses to remove them.
 */
static void evict(Front *front, uint32_t uid) {
        while (shield_cache_evict(tasks_shields(front->tasks), uid) ||
               base_cache_evict(tasks_bases(front->tasks), uid) ||
               setup_layers_evict(front, tasks_holds(front->tasks), uid))
                ;
}

/*
 * Layers that nobody knows: they belong to nobody, so an administrator says that they go. One of an import that is under way
 * is held and so is known. Another import of the same content may come at any time: the monitor takes requests in order.
 */
static int discard_unknown(Front *front, Error *err) {
        autofree uint8_t(*unknown)[DIGEST_SIZE] = NULL;
        unsigned n = 0;
        int r = layers_unknown(front, &unknown, &n, err);

        return r < 0 ? r : layers_discard(front, unknown, n, err);
}

int snapshot_gc(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        uint32_t uid = call_peer(call)->uid;
        Error said = ERROR_EMPTY;
        int r;

        (void) params;
        (void) ret_result; /* answer() */
        r = layers_collect_begin(front, answer, call, err);
        if (r < 0) {
                call_refuse(call, "busy", NULL, NULL);
                return r;
        }
        evict(front, uid);
        if (call_uid(call) == 0 && front->layers_fd >= 0 && discard_unknown(front, &said) < 0)
                log_event(LOG_WARNING, "layers that nobody knows stay in the store", F_ERR(&said));
        layers_collect_end(front);
        return 0;
}

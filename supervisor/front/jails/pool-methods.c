/*
 * pool-methods: see pool-methods.h.
 */
#include "supervisor/front/jails/pool-methods.h"

#include <stdio.h>

#include "base/owned.h"
#include "supervisor/front/jails/pools.h"

_Static_assert(POOL_SIZE_MAX == 256, "as the schema says");

static const char *refusal(int r) {
        return r == -ENOENT    ? "not_found"
               : r == -EPERM   ? "denied"
               : r == -EDQUOT  ? "limit"
               : r == -ENOTSUP ? "unsupported"
               : r == -EINVAL  ? "invalid"
                               : NULL;
}

static int run_set(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        PoolKey key = { .uid = call_peer(call)->uid };
        uint64_t size = 0;
        int r;

        (void) json_number(params, "size", &size);
        (void) snprintf(key.snapshot, sizeof key.snapshot, "%s", json_text(params, "snapshot"));
        (void) snprintf(key.policy, sizeof key.policy, "%s", json_text(params, "policy"));
        r = pools_set(front, &key, (unsigned) size, err);
        if (r < 0 && refusal(r))
                call_refuse(call, refusal(r), NULL, NULL);
        if (r < 0)
                return r;
        *ret_result = cJSON_CreateObject();
        return *ret_result ? 0 : error_set(err, -ENOMEM, "answer");
}

static void describe(const PoolView *view, void *userdata) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "snapshot", view->key->snapshot);
        json_add_text(json, "policy", view->key->policy);
        json_add_number(json, "owner_uid", view->key->uid);
        json_add_number(json, "size", view->size);
        json_add_number(json, "ready", view->ready);
        json_add_number(json, "making", view->making);
        json_add_number(json, "taken", view->taken);
        json_add_number(json, "missed", view->missed);
        if (view->fault[0])
                json_add_text(json, "fault", view->fault);
        json_push_consume(userdata, json);
}

static int run_show(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        cJSON *list = json_add_array(json, "pools");

        (void) params;
        if (!list)
                return error_set(err, -ENOMEM, "show the pools");
        pools_each(front->pools, call_uid(call), describe, list);
        *ret_result = TAKE_PTR(json);
        return 0;
}

const MethodRow pool_methods[] = {
        { "pool.set", run_set },
        { "pool.show", run_show },
        { NULL, NULL },
};

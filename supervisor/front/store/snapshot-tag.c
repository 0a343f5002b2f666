/*
 * snapshot-tag: see snapshot-tag.h.
 */
#include "supervisor/front/store/snapshot-tag.h"

#include <stdio.h>

#include "supervisor/front/policy/quotas.h"

static int answer(Front *front, const SnapshotInfo *info, const Call *call, cJSON **ret_result,
                  Error *err) {
        *ret_result = snapshot_describe(front, info, call_peer(call)->uid);
        return *ret_result ? 0 : error_set(err, -ENOMEM, "show a snapshot");
}

/* An administrator may take one from the public, as it may remove it: both end something and show nothing */
static int publish(Front *front, Call *call, const cJSON *params, SnapshotInfo *info, Error *err) {
        bool is_public = cJSON_IsTrue(json_get(params, "public"));
        int r = snapshot_check_owner(call, params, info, err);

        if (r >= 0 && is_public)
                r = call_owns(call, info->owner_uid, err);
        if (r < 0)
                return r;
        info->is_public = is_public;
        r = snapshots_publish(front, info, info->is_public, err);
        if (r < 0)
                call_refuse(call, r == -EPERM ? "denied" : "internal", "/name", NULL);
        return r;
}

/* @ret_taken: others used what it replaces, and may not use it */
static int add_name(Front *front, Call *call, const cJSON *params, SnapshotInfo *info,
                    bool *ret_taken, Error *err) {
        SnapshotInfo to = *info, old;
        int r = snapshot_may_read(call, info) ? 0 : call_owns(call, info->owner_uid, err);

        if (r < 0)
                return r;
        (void) snprintf(to.name, sizeof to.name, "%s", json_text(params, "new"));
        to.owner_uid = call_peer(call)->uid;
        to.is_public = cJSON_IsTrue(json_get(params, "public"));
        r = quota_charge_create(front, to.owner_uid, err);
        if (r < 0)
                return r;
        *ret_taken = !to.is_public &&
                     snapshots_find_of(front, to.name, to.owner_uid, true, &old, NULL) == 0;
        r = snapshots_tag(front, info, &to, cJSON_IsTrue(json_get(params, "replace")), err);
        if (r < 0)
                call_refuse(call,
                            r == -EEXIST   ? "exists"
                            : r == -EDQUOT ? "quota"
                            : r == -EPERM  ? "denied"
                            : r == -EINVAL ? "invalid"
                                           : "internal",
                            r == -EPERM ? "/name" : "/new", NULL);
        else
                *info = to;
        return r;
}

int snapshot_tag(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        SnapshotInfo info;
        bool taken = false;
        int r = snapshot_named(front, call, params, &info, err);

        if (r < 0)
                return r;
        if (json_get(params, "new")) {
                r = add_name(front, call, params, &info, &taken, err);
        } else if (json_get(params, "public")) {
                r = publish(front, call, params, &info, err);
        } else {
                call_refuse(call, "invalid", "/new", NULL);
                r = error_say(err, -EINVAL,
                              "name another name (new), or say who may use it "
                              "(public)");
        }
        if (r >= 0)
                r = answer(front, &info, call, ret_result, err);
        if (r >= 0 && taken)
                json_add_bool(*ret_result, "unpublished", true);
        return r;
}

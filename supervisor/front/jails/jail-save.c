/*
 * jail-save: see jail-save.h.
 *
 *   name and quota -> the jail stands still -> its root's upper is saved as a layer (layer-import.c) -> it runs on
 *   -> the snapshot: that layer above those that the jail's root stands on
 *
 * Cost follows the change: of the layers below, only names are looked at that the upper marks as gone or hidden. They are
 * held from the beginning, so that nothing takes them away while the new one is made.
 *
 * /work is no part of it where it is a directory of its own: that is the caller's, and its content is not in the store.
 * The host's own root is in no store either: on it there is nothing that a snapshot could stand on.
 */
#include "supervisor/front/jails/jail-save.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/gate/gate-plan.h"
#include "supervisor/front/jails/jail-methods.h"
#include "supervisor/front/jails/jail-parts.h"
#include "supervisor/front/jails/jail-refuse.h"
#include "supervisor/front/jails/jail-still.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/store/layer-import.h"
#include "supervisor/front/store/layer-keep.h"
#include "supervisor/front/store/snapshot-show.h"
#include "supervisor/front/store/snapshots.h"

typedef struct Saving {
        Front *front;
        Call *call; /* answered by us */
        char jail[ID_MAX];
        JailHold *hold; /* owned: until its files are read */
        SnapshotInfo
                info;  /* of the new one; its layers are those below until the new one is there */
        cJSON *config; /* owned: how it is run, as what it stands on; NULL: it does not say */
        char work[12]; /* jail_work_word() */
        uint64_t reserved; /* bytes on disk, in the owner's account, until the end */
        LayerKeep below;
} Saving;

static Saving *saving_free(Saving *saving) {
        if (!saving)
                return NULL;
        if (saving->reserved)
                quota_release_import(saving->front, saving->info.owner_uid, saving->reserved);
        jail_hold_free(saving->hold);
        layer_keep_end(&saving->below);
        json_free(saving->config);
        free(saving);
        return NULL;
}
DEFINE_SCOPED(Saving *, saving_free);

/* ---- the end ------------------------------------------------------------------------------------- */

static void answer(const Saving *saving, const LayerImport *import) {
        const SnapshotInfo *info = &saving->info;
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "name", info->name);
        snapshot_add_layers(json, info);
        json_add_number(json, "bytes", info->bytes);
        json_add_number(json, "entries", info->entries);
        json_add_number(json, "layer_bytes", import->bytes);
        json_add_number(json, "layer_entries", import->entries);
        json_add_text(json, "work", saving->work);
        json_add_consume(json, "cleaned", cJSON_Duplicate(import->cleaned, true));
        json_add_number(json, "cleaned_total", import->cleaned_total);
        call_answer(saving->call, json, NULL, 0);
}

/* Above those that it was made on; one of the same content below it shows nothing any more */
static void put_on_top(SnapshotInfo *info, const uint8_t *digest) {
        unsigned n = 1;

        for (unsigned i = 0; i < info->n_layers; i++)
                if (memcmp(info->layers[i], digest, DIGEST_SIZE) != 0)
                        memmove(info->layers[n++ - 1], info->layers[i], DIGEST_SIZE);
        memmove(info->layers + 1, info->layers, (n - 1) * sizeof(info->layers[0]));
        memcpy(info->layers[0], digest, DIGEST_SIZE);
        info->n_layers = n;
}

static int add_snapshot(Saving *saving, const LayerImport *import, Error *err) {
        SnapshotInfo *info = &saving->info;

        quota_release_import(saving->front, info->owner_uid, saving->reserved);
        saving->reserved = 0;
        put_on_top(info, import->digest);
        info->bytes += import->bytes;
        info->entries += import->entries;
        info->created_usec = units_now();
        return snapshots_add(saving->front, info, saving->config, err);
}

static void on_saved(const LayerImport *import, const Error *err, bool refused, void *userdata) {
        SCOPED(saving_free) Saving *saving = userdata;
        Error own = ERROR_EMPTY;

        saving->hold = jail_hold_free(saving->hold);
        if (err) {
                if (refused)
                        call_refuse(saving->call, "limit", NULL, NULL);
                jail_refuse(saving->front, saving->call, err);
                return;
        }
        if (add_snapshot(saving, import, &own) < 0) {
                jail_refuse(saving->front, saving->call, &own);
                return;
        }
        log_event(LOG_INFO, "jail saved", F("JAIL", saving->jail),
                  F("SNAPSHOT", saving->info.name));
        answer(saving, import);
}

/* ---- the beginning ------------------------------------------------------------------------------- */

static int take_root(Saving *saving, const FrontJail *jail, Error *err) {
        SnapshotInfo base;
        JailPart root;

        if (!jail_part_get(jail, VIEW_ROOT, &root) || root.is_host) {
                call_refuse(saving->call, "unsupported", "/jail",
                            "make the jail on a snapshot (--snapshot NAME), or see `warder diff`");
                return error_say(err, -ENOTSUP,
                                 "jail %.16s stands on the host's own root, which is in no store: "
                                 "there is nothing that a snapshot could stand on",
                                 saving->jail);
        }
        if (root.n >= PLAN_LAYERS_MAX - 4u)
                return error_say(err, -E2BIG,
                                 "the jail stands on %u layers, and no more can be added: export a "
                                 "snapshot of it as tar, and import that anew",
                                 root.n);
        saving->info.n_layers = root.n;
        for (unsigned i = 0; i < root.n; i++)
                memcpy(saving->info.layers[i], root.layers[i].digest, DIGEST_SIZE);
        if (snapshots_find(saving->front, front_jail_snapshot(jail), front_jail_owner(jail), &base,
                           NULL) == 0 &&
            base.n_layers == root.n && memcmp(base.layers, saving->info.layers, root.n * 32) == 0) {
                saving->info.bytes = base.bytes;
                saving->info.entries = base.entries;
        }
        return 0;
}

static int take_name(Saving *saving, const char *name, Error *err) {
        uint64_t most = layer_disk_bytes(GATE_IMPORT_BYTES, GATE_IMPORT_ENTRIES), left = UINT64_MAX;
        int r = snapshots_check_new(saving->front, name, saving->info.owner_uid, 1, &left, err);

        if (r < 0) {
                call_refuse(saving->call,
                            r == -EEXIST   ? "exists"
                            : r == -EDQUOT ? "quota"
                                           : "invalid",
                            "/name", NULL);
                return r;
        }
        (void) snprintf(saving->info.name, sizeof(saving->info.name), "%s", name);
        most = most < left ? most : left;
        r = quota_reserve_import(saving->front, saving->info.owner_uid, most, err);
        if (r >= 0)
                saving->reserved = most;
        return r;
}

/* It stands still. Returns: 0 and on_saved() will be called; negative errno */
static int read_upper(Saving *saving, const FrontJail *jail, Error *err) {
        const SnapshotInfo *info = &saving->info;
        const LayerImportSpec spec = { .input_fd = -EBADF,
                                       .upper_handle = front_jail_handle(jail),
                                       .trim = true,
                                       .lower = info->layers,
                                       .n_lower = info->n_layers,
                                       .max_disk = saving->reserved,
                                       .max_bytes = GATE_IMPORT_BYTES,
                                       .max_entries = GATE_IMPORT_ENTRIES,
                                       .owner_uid = info->owner_uid };

        return layer_import(saving->front, &spec, on_saved, saving, err);
}

static void on_still(FrontJail *jail, const Error *err, void *userdata) {
        Saving *saving = userdata;
        Error own = ERROR_EMPTY;

        if (err)
                own = *err;
        else
                (void) read_upper(saving, jail, &own);
        if (own.code < 0) {
                jail_refuse(saving->front, saving->call, &own);
                saving_free(saving);
        }
}

static int start(Saving *saving, FrontJail *jail, Error *err) {
        const SnapshotInfo *info = &saving->info;
        int r = layer_keep(&saving->below, saving->front, info->layers, info->n_layers, err);

        if (r >= 0)
                r = jail_hold_new(jail, &saving->hold, err);
        if (r >= 0)
                r = jail_hold_await(saving->hold, JAIL_STILL_READ_USEC, on_still, saving, err);
        return r > 0 ? read_upper(saving, jail, err) : r;
}

static int run_save(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        FrontJail *jail = jail_find_own(front, call, params, err);
        SCOPED(saving_free) Saving *saving = NULL;
        int r;

        (void) ret_result;
        if (!jail)
                return err->code;
        saving = calloc(1, sizeof(*saving));
        if (!saving)
                return error_set(err, -ENOMEM, "save a jail");
        saving->front = front;
        saving->call = call;
        saving->info.owner_uid = front_jail_owner(jail);
        (void) snprintf(saving->jail, sizeof(saving->jail), "%s", front_jail_id(jail));
        (void) snprintf(saving->work, sizeof(saving->work), "%s", jail_work_word(jail));
        if (front_jail_image(jail) &&
            !(saving->config = cJSON_Duplicate(front_jail_image(jail), true)))
                return error_set(err, -ENOMEM, "save a jail");
        r = take_root(saving, jail, err);
        if (r >= 0)
                r = take_name(saving, json_text(params, "name"), err);
        if (r >= 0)
                r = start(saving, jail, err);
        if (r < 0)
                return r;
        (void) TAKE_PTR(saving);
        return 0;
}

const MethodRow jail_save_row = { "jail.save", run_save };

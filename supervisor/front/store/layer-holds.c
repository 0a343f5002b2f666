/*
 * layer-holds: see layer-holds.h.
 *
 * Several verifies may stand on one base. They are counted here, in memory, for each user: what another does
 * with a layer of the same content neither costs a user anything nor keeps its charge. Towards the store (layers.h) the
 * gate is one holder, whose name in the ledger lets the next front find what a lost one left behind.
 */
#include "supervisor/front/store/layer-holds.h"

#include <string.h>

#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/store/layer-records.h"
#include "supervisor/front/store/layers.h"

#define HOLDER "gate"

typedef struct Hold Hold;

struct Hold { /* of one layer by one user */
        Hold *next;
        uint8_t digest[32];
        unsigned count; /* > 0 */
        uint32_t owner;
        uint64_t charged; /* to the owner; 0: nothing yet */
};

struct Holds {
        Front *front; /* borrowed, outlives us */
        Hold *first;  /* owned list */
        HoldGoneFn gone;
        void *userdata; /* of gone */
};

struct HoldImport {
        Holds *holds;
        HoldImportFn done; /* NULL: cancelled */
        void (*progress)(uint64_t bytes, uint64_t entries, void *userdata);
        void *userdata;
        uint32_t owner_uid;
        uint64_t reserved; /* for owner_uid, while it runs */
};

static void let_go(Holds *holds, const uint8_t *digest) {
        Error err = ERROR_EMPTY;

        if (layer_release(holds->front, digest, HOLDER, &err) < 0)
                log_event(LOG_WARNING, "a layer could not be let go", F_ERR(&err));
}

static Hold *find(const Holds *holds, const uint8_t *digest, uint32_t uid) {
        Hold *hold = holds->first;

        while (hold &&
               (hold->owner != uid || memcmp(hold->digest, digest, sizeof(hold->digest)) != 0))
                hold = hold->next;
        return hold;
}

static bool is_held(const Holds *holds, const uint8_t *digest) {
        const Hold *hold = holds->first;

        while (hold && memcmp(hold->digest, digest, sizeof(hold->digest)) != 0)
                hold = hold->next;
        return hold;
}

int hold_take(Holds *holds, const uint8_t *digest, uint32_t uid, Error *err) {
        Hold *hold = find(holds, digest, uid);
        int r;

        if (hold) {
                hold->count++;
                return 0;
        }
        hold = calloc(1, sizeof(*hold));
        if (!hold)
                return error_set(err, -ENOMEM, "hold a layer");
        r = layer_hold(holds->front, digest, HOLDER, err);
        if (r < 0) {
                free(hold);
                return r;
        }
        memcpy(hold->digest, digest, sizeof(hold->digest));
        hold->owner = uid;
        hold->count = 1;
        hold->next = holds->first;
        holds->first = hold;
        return 0;
}

void holds_tell(Holds *holds, HoldGoneFn gone, void *userdata) {
        holds->gone = gone;
        holds->userdata = userdata;
}

void hold_drop(Holds *holds, const uint8_t *digest, uint32_t uid) {
        Hold *hold = find(holds, digest, uid), **at = &holds->first;

        if (!hold || --hold->count > 0)
                return;
        while (*at != hold)
                at = &(*at)->next;
        *at = hold->next;
        if (hold->charged)
                quota_release_import(holds->front, hold->owner, hold->charged);
        if (!is_held(holds, digest))
                let_go(holds, digest);
        if (holds->gone)
                holds->gone(hold->digest, hold->owner, holds->userdata);
        free(hold);
}

void hold_charge(Holds *holds, const uint8_t *digest, uint32_t uid, uint64_t bytes) {
        Hold *hold = find(holds, digest, uid);

        if (!hold || hold->charged || bytes == 0 ||
            quota_reserve_import(holds->front, uid, bytes, NULL) < 0)
                return;
        hold->charged = bytes;
}

bool hold_is_damaged(const Holds *holds, const uint8_t *digest) {
        return layer_is_damaged(holds->front, digest);
}

bool hold_is_held(const Holds *holds, const uint8_t *digest, uint32_t uid) {
        return find(holds, digest, uid);
}

bool hold_is_shared(Holds *holds, const uint8_t *digest, uint32_t uid) {
        const Hold *hold = find(holds, digest, uid);

        return hold && hold->count > 1;
}

/* ---- imports ------------------------------------------------------------------------------------- */

static void on_imported(const LayerImport *result, const Error *err, bool refused, void *userdata) {
        autofree HoldImport *import = userdata;
        Error hold_err = ERROR_EMPTY;

        if (import->reserved)
                quota_release_import(import->holds->front, import->owner_uid, import->reserved);
        if (!import->done) {
                if (!err && layer_discard(import->holds->front, result->digest, &hold_err) < 0)
                        log_event(LOG_WARNING, "a layer could not be discarded", F_ERR(&hold_err));
                return;
        }
        if (!err && hold_take(import->holds, result->digest, import->owner_uid, &hold_err) < 0)
                err = &hold_err;
        if (!err)
                hold_charge(import->holds, result->digest, import->owner_uid,
                            layer_disk_bytes(result->bytes, result->entries));
        import->done(err ? NULL : result, err, refused, import->userdata);
}

static void on_progress(uint64_t bytes, uint64_t entries, void *userdata) {
        HoldImport *import = userdata;

        if (import->done && import->progress)
                import->progress(bytes, entries, import->userdata);
}

int hold_import(Holds *holds, const LayerImportSpec *spec, HoldImportFn done, void *userdata,
                HoldImport **ret, Error *err) {
        autofree HoldImport *import = calloc(1, sizeof(*import));
        LayerImportSpec inner = *spec;
        int r;

        if (!import)
                return error_set(err, -ENOMEM, "import a layer");
        *import = (HoldImport){ .holds = holds,
                                .done = done,
                                .progress = spec->progress,
                                .userdata = userdata,
                                .owner_uid = spec->owner_uid,
                                .reserved = spec->max_disk };
        inner.progress = on_progress;
        if (import->reserved &&
            (r = quota_reserve_import(holds->front, spec->owner_uid, import->reserved, err)) < 0)
                return r;
        r = layer_import(holds->front, &inner, on_imported, import, err);
        if (r < 0) {
                if (import->reserved)
                        quota_release_import(holds->front, spec->owner_uid, import->reserved);
                return r;
        }
        *ret = TAKE_PTR(import);
        return 0;
}

HoldImport *hold_import_cancel(HoldImport *import) {
        if (import)
                import->done = NULL; /* on_imported() frees */
        return NULL;
}

/* ---- life ---------------------------------------------------------------------------------------- */

/* Setup layers, and bases of tasks that can be replayed, stay: rows name them. Every other one has no one left */
static int remove_left(Holds *holds, Error *err) {
        sqlite3_stmt *rows = ledger_query(holds->front->ledger, err,
                                          "SELECT digest FROM holds WHERE holder = ?1 AND "
                                          "digest NOT IN (SELECT layer FROM gate_setups) AND "
                                          "digest NOT IN (SELECT base FROM task_inputs) AND "
                                          "digest NOT IN (SELECT layer FROM task_steps WHERE "
                                          "layer IS NOT NULL) AND digest NOT IN (SELECT base FROM "
                                          "task_saves WHERE base IS NOT NULL UNION SELECT setup "
                                          "FROM task_saves WHERE setup IS NOT NULL UNION SELECT "
                                          "held FROM task_saves WHERE held IS NOT NULL)",
                                          "t", HOLDER);
        uint8_t(*left)[32] = NULL;
        size_t n = 0;

        if (!rows)
                return -EIO;
        while (sqlite3_step(rows) == SQLITE_ROW) { /* read all first: letting go writes */
                uint8_t(*more)[32] = reallocarray(left, n + 1, sizeof(*left));

                if (!more)
                        break;
                left = more;
                if (sqlite3_column_bytes(rows, 0) != 32)
                        continue;
                memcpy(left[n++], sqlite3_column_blob(rows, 0), 32);
        }
        (void) sqlite3_finalize(rows);
        for (size_t i = 0; i < n; i++)
                let_go(holds, left[i]);
        free(left);
        return 0;
}

int holds_new(Front *front, Holds **ret, Error *err) {
        Holds *holds = calloc(1, sizeof(*holds));
        int r;

        if (!holds)
                return error_set(err, -ENOMEM, "keep account of layers");
        holds->front = front;
        r = remove_left(holds, err);
        if (r < 0) {
                holds_free(holds);
                return r;
        }
        *ret = holds;
        return 0;
}

Holds *holds_free(Holds *holds) {
        if (!holds)
                return NULL;
        while (holds->first) {
                Hold *hold = holds->first;

                holds->first = hold->next;
                free(hold);
        }
        free(holds);
        return NULL;
}

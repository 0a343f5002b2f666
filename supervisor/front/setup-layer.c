/*
 * setup-layer: see setup-layer.h. The jail's upper is saved when the jail is gone, so that nothing writes
 * to it while it is read.
 */
#include "supervisor/front/setup-layer.h"

#include <stdio.h>
#include <string.h>

#include "base/canonical.h"
#include "base/log.h"
#include "base/units.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/snapshots.h"

struct SetupLayer {
        Front *front; /* borrowed, like holds */
        Holds *holds;
        SpecRun *run;       /* owned: while the commands run */
        HoldImport *import; /* owned: while the upper is saved */
        uint64_t upper;     /* kept; dropped by us */
        uint8_t key[DIGEST_SIZE];
        uint32_t owner_uid;
        uint64_t max_disk; /* that the jail's own limits allow */
        SpecRunEventFn event;
        SetupLayerFn done;
        void *userdata;
};

static SetupLayer *setup_layer_free(SetupLayer *setup) {
        if (!setup)
                return NULL;
        gate_upper_drop(setup->front, setup->upper);
        free(setup);
        return NULL;
}
DEFINE_SCOPED(SetupLayer *, setup_layer_free);

static int make_key(Front *front, const SetupLayerSpec *spec, uint8_t *ret_key, Error *err) {
        cJSON *setup = json_get(spec->spec->json, "setup");
        uint8_t commands[DIGEST_SIZE], root[DIGEST_SIZE];
        GateRoot plain = spec->root;
        Digest *digest = NULL;
        int r;

        plain.limits = NULL; /* what setup made when it went well is the same under any */
        r = gate_root_digest(front, &plain, root, err);
        if (r < 0)
                return r;
        if (canonical_digest(setup, commands) < 0 || digest_new(&digest) < 0)
                return error_set(err, -ENOMEM, "look for the setup layer");
        digest_add(digest, commands, sizeof(commands));
        digest_add(digest, root, sizeof(root));
        digest_add(digest, spec->snapshot, DIGEST_SIZE);
        digest_add(digest, spec->policy, DIGEST_SIZE);
        digest_end(digest, ret_key);
        digest_free(digest);
        return 0;
}

/* ---- the cache ----------------------------------------------------------------------------------- */

static bool find(Front *front, const uint8_t *key, uint8_t *ret_digest) {
        sqlite3_stmt *row =
                ledger_query(front->ledger, NULL, "SELECT layer FROM gate_setups WHERE key = ?1",
                             "b", key, DIGEST_SIZE);
        bool found;

        if (!row)
                return false;
        found = sqlite3_step(row) == SQLITE_ROW && sqlite3_column_bytes(row, 0) == DIGEST_SIZE;
        if (found)
                memcpy(ret_digest, sqlite3_column_blob(row, 0), DIGEST_SIZE);
        (void) sqlite3_finalize(row);
        return found;
}

static bool take_row(sqlite3_stmt *row, uint8_t *ret_key, uint8_t *ret_layer) {
        if (sqlite3_column_bytes(row, 0) != DIGEST_SIZE ||
            sqlite3_column_bytes(row, 1) != DIGEST_SIZE)
                return false;
        memcpy(ret_key, sqlite3_column_blob(row, 0), DIGEST_SIZE);
        memcpy(ret_layer, sqlite3_column_blob(row, 1), DIGEST_SIZE);
        return true;
}

typedef struct Kept {
        uint8_t key[DIGEST_SIZE], layer[DIGEST_SIZE];
        uint32_t owner;
} Kept;

static bool forget(Front *front, Holds *holds, const Kept *kept) {
        if (ledger_exec(front->ledger, NULL, "DELETE FROM gate_setups WHERE key = ?1", "b",
                        kept->key, DIGEST_SIZE) < 0)
                return false;
        hold_drop(holds, kept->layer, kept->owner);
        return true;
}

/* Where a user has too many, let the layer go that was used longest ago */
static void drop_oldest(Front *front, Holds *holds, uint32_t uid) {
        sqlite3_stmt *row = ledger_query(front->ledger, NULL,
                                         "SELECT key, layer FROM gate_setups WHERE owner = ?1 "
                                         "ORDER BY used DESC LIMIT 1 OFFSET ?2",
                                         "ii", (int64_t) uid, (int64_t) SETUPS_MAX);
        Kept kept = { .owner = uid };
        bool found;

        if (!row)
                return;
        found = sqlite3_step(row) == SQLITE_ROW && take_row(row, kept.key, kept.layer);
        (void) sqlite3_finalize(row);
        if (found)
                (void) forget(front, holds, &kept);
}

bool setup_layers_evict(Front *front, Holds *holds, uint32_t uid) {
        sqlite3_stmt *row = ledger_query(front->ledger, NULL,
                                         "SELECT key, layer FROM gate_setups WHERE owner = ?1 "
                                         "ORDER BY used",
                                         "i", (int64_t) uid);
        Kept kept = { .owner = uid };
        bool found = false;

        while (row && !found && sqlite3_step(row) == SQLITE_ROW)
                found = take_row(row, kept.key, kept.layer) &&
                        !hold_is_shared(holds, kept.layer, uid);
        (void) sqlite3_finalize(row);
        return found && forget(front, holds, &kept);
}

static void keep(SetupLayer *setup, const LayerImport *import) {
        uint64_t bytes = layer_disk_bytes(import->bytes, import->entries);
        Error err = ERROR_EMPTY;

        if (ledger_exec(setup->front->ledger, &err,
                        "INSERT INTO gate_setups(key, layer, used, owner, bytes) "
                        "VALUES(?1, ?2, ?3, ?4, ?5)",
                        "bbiii", setup->key, DIGEST_SIZE, import->digest, DIGEST_SIZE,
                        (int64_t) units_now(), (int64_t) setup->owner_uid, (int64_t) bytes) < 0 ||
            hold_take(setup->holds, import->digest, setup->owner_uid, &err) < 0) {
                log_event(LOG_WARNING, "a setup layer could not be kept", F_ERR(&err));
                return;
        }
        drop_oldest(setup->front, setup->holds, setup->owner_uid);
}

int setup_layers_hold(Front *front, Holds *holds, Error *err) {
        sqlite3_stmt *rows =
                ledger_query(front->ledger, err, "SELECT layer, owner, bytes FROM gate_setups", "");
        int r = 0;

        if (!rows)
                return -EIO;
        while (r == 0 && sqlite3_step(rows) == SQLITE_ROW) {
                if (sqlite3_column_bytes(rows, 0) != DIGEST_SIZE)
                        continue;
                r = hold_take(holds, sqlite3_column_blob(rows, 0),
                              (uint32_t) sqlite3_column_int64(rows, 1), err);
                hold_charge(holds, sqlite3_column_blob(rows, 0),
                            (uint32_t) sqlite3_column_int64(rows, 1),
                            (uint64_t) sqlite3_column_int64(rows, 2));
        }
        (void) sqlite3_finalize(rows);
        return r;
}

/* ---- making it ----------------------------------------------------------------------------------- */

static void fail(SetupLayer *setup, const Error *err, const char *detail) {
        SCOPED(setup_layer_free) SetupLayer *owned = setup;

        setup->done(NULL, err, detail, setup->userdata);
        (void) owned;
}

static void on_saved(const LayerImport *import, const Error *err, bool refused, void *userdata) {
        SCOPED(setup_layer_free) SetupLayer *setup = userdata;

        (void) refused;
        setup->import = NULL;
        if (!err)
                keep(setup, import);
        setup->done(err ? NULL : import->digest, err, NULL, setup->userdata);
}

static int save(SetupLayer *setup, Error *err) {
        LayerImportSpec spec = { .input_fd = -EBADF,
                                 .upper_handle = setup->upper,
                                 .max_bytes = GATE_IMPORT_BYTES,
                                 .max_entries = GATE_IMPORT_ENTRIES,
                                 .owner_uid = setup->owner_uid };
        int r = snapshots_left(setup->front, setup->owner_uid, &spec.max_disk, err);

        if (r < 0)
                return r;
        if (spec.max_disk > setup->max_disk)
                spec.max_disk = setup->max_disk;
        return hold_import(setup->holds, &spec, on_saved, setup, &setup->import, err);
}

/* The command that failed, in a sentence. Returns: it, or NULL where all are good */
static const RunCommand *say_failure(const RunResult *result, Error *err) {
        const RunCommand *last = &result->commands[result->n - 1];

        if (run_command_is_good(last))
                return NULL;
        if (last->cause == CAUSE_EXITED)
                error_say(err, -ECANCELED, "the setup command \"%s\" exited with %d", last->id,
                          last->code);
        else
                error_say(err, -ECANCELED, "the setup command \"%s\" ended early: %s", last->id,
                          cause_name(last->cause));
        return last;
}

static void on_run(const SpecRunEnd *end, void *userdata) {
        SCOPED(run_result_free) RunResult *result = end->result;
        SetupLayer *setup = userdata;
        const RunCommand *bad = NULL;
        Error err = ERROR_EMPTY;

        setup->run = NULL;
        setup->upper = end->upper;
        if (end->err)
                err = *end->err;
        else
                bad = say_failure(result, &err);
        if (err.code < 0 || save(setup, &err) < 0)
                fail(setup, &err, bad ? bad->output : NULL);
}

static void on_command(const char *id, const RunCommand *command, void *userdata) {
        const SetupLayer *setup = userdata;

        if (setup->event)
                setup->event(id, command, setup->userdata);
}

static int start(SetupLayer *setup, const SetupLayerSpec *spec, Error *err) {
        SpecRunSpec inner = { .root = spec->root,
                              .commands = spec->spec->setup,
                              .n = spec->spec->n_setup,
                              .event = on_command,
                              .done = on_run,
                              .userdata = setup };

        inner.root.keep_upper = true;
        return spec_run_start(setup->front, &inner, &setup->run, err);
}

int setup_layer_get(Front *front, Holds *holds, const SetupLayerSpec *spec, uint8_t *ret_digest,
                    SetupLayer **ret, Error *err) {
        SCOPED(setup_layer_free) SetupLayer *setup = calloc(1, sizeof(*setup));
        int r;

        if (!setup)
                return error_set(err, -ENOMEM, "make the setup layer");
        *setup = (SetupLayer){
                .front = front,
                .holds = holds,
                .owner_uid = spec->root.owner_uid,
                .max_disk = spec->root.limits ? layer_disk_bytes(spec->root.limits->plan.disk_bytes,
                                                                 spec->root.limits->plan.inodes)
                                              : GATE_IMPORT_BYTES,
                .event = spec->event,
                .done = spec->done,
                .userdata = spec->userdata
        };
        r = make_key(front, spec, setup->key, err);
        if (r < 0)
                return r;
        if (find(front, setup->key, ret_digest)) {
                (void) ledger_exec(front->ledger, NULL,
                                   "UPDATE gate_setups SET used = ?1 WHERE key = ?2", "ib",
                                   (int64_t) units_now(), setup->key, DIGEST_SIZE);
                r = hold_take(holds, ret_digest, setup->owner_uid, err);
                return r < 0 ? r : 1;
        }
        r = start(setup, spec, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(setup);
        return 0;
}

SetupLayer *setup_layer_cancel(SetupLayer *setup) {
        if (!setup)
                return NULL;
        setup->run = spec_run_cancel(setup->run);
        setup->import = hold_import_cancel(setup->import);
        return setup_layer_free(setup);
}

/* setup-cache: see setup-cache.h. */
#include "supervisor/front/gate/setup-cache.h"

#include <string.h>

#include "base/log.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/store/layer-records.h"
#include "supervisor/front/tasks/tasks.h"

static bool forget(Front *front, Holds *holds, const KeptSetup *kept) {
        if (ledger_exec(front->ledger, NULL, "DELETE FROM gate_setups WHERE key = ?1", "b",
                        kept->key, DIGEST_SIZE) < 0)
                return false;
        hold_drop(holds, kept->layer, kept->owner);
        return true;
}

bool setup_cache_find(Front *front, KeptSetup *kept) {
        sqlite3_stmt *row = ledger_query(front->ledger, NULL,
                                         "SELECT layer, owner FROM gate_setups WHERE key = ?1", "b",
                                         kept->key, DIGEST_SIZE);
        KeptSetup other = *kept;
        bool found;

        if (!row)
                return false;
        found = sqlite3_step(row) == SQLITE_ROW && sqlite3_column_bytes(row, 0) == DIGEST_SIZE;
        if (found) {
                memcpy(kept->layer, sqlite3_column_blob(row, 0), DIGEST_SIZE);
                other.owner = (uint32_t) sqlite3_column_int64(row, 1);
        }
        (void) sqlite3_finalize(row);
        if (found && layer_is_damaged(front, kept->layer)) { /* setup runs again */
                memcpy(other.layer, kept->layer, DIGEST_SIZE);
                (void) forget(front, tasks_holds(front->tasks), &other);
                return false;
        }
        if (found)
                (void) ledger_exec(front->ledger, NULL,
                                   "UPDATE gate_setups SET used = ?1 WHERE key = ?2", "ib",
                                   (int64_t) units_now(), kept->key, DIGEST_SIZE);
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

/* Where a user has too many, let the layer go that was used longest ago */
static void drop_oldest(Front *front, Holds *holds, uint32_t uid) {
        sqlite3_stmt *row = ledger_query(front->ledger, NULL,
                                         "SELECT key, layer FROM gate_setups WHERE owner = ?1 "
                                         "ORDER BY used DESC LIMIT 1 OFFSET ?2",
                                         "ii", (int64_t) uid, (int64_t) SETUPS_MAX);
        KeptSetup kept = { .owner = uid };
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
        KeptSetup kept = { .owner = uid };
        bool found = false;

        while (row && !found && sqlite3_step(row) == SQLITE_ROW)
                found = take_row(row, kept.key, kept.layer) &&
                        !hold_is_shared(holds, kept.layer, uid);
        (void) sqlite3_finalize(row);
        return found && forget(front, holds, &kept);
}

void setup_cache_keep(Front *front, Holds *holds, const KeptSetup *kept) {
        Error err = ERROR_EMPTY;

        if (ledger_exec(front->ledger, &err,
                        "INSERT INTO gate_setups(key, layer, used, owner, bytes) "
                        "VALUES(?1, ?2, ?3, ?4, ?5)",
                        "bbiii", kept->key, DIGEST_SIZE, kept->layer, DIGEST_SIZE,
                        (int64_t) units_now(), (int64_t) kept->owner, (int64_t) kept->bytes) < 0 ||
            hold_take(holds, kept->layer, kept->owner, &err) < 0) {
                log_event(LOG_WARNING, "a setup layer could not be kept", F_ERR(&err));
                return;
        }
        drop_oldest(front, holds, kept->owner);
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

/*
 * layer-records: see layer-records.h. Damaged layers are kept in memory as well, since every jail that is made asks for
 * them, and there are hardly ever any.
 */
#include "supervisor/front/store/layer-records.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/ledger.h"

struct DamagedLayer {
        struct DamagedLayer *next;
        uint8_t digest[DIGEST_SIZE];
};

int layer_record_add(Front *front, const uint8_t *digest, uint64_t bytes, uint64_t entries,
                     Error *err) {
        return ledger_exec(front->ledger, err,
                           "INSERT INTO layers (digest, bytes, entries, created) "
                           "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (digest) DO UPDATE "
                           "SET bytes = ?2, entries = ?3",
                           "biii", digest, DIGEST_SIZE, (int64_t) bytes, (int64_t) entries,
                           (int64_t) units_now());
}

bool layer_record_find(Front *front, const uint8_t *digest, LayerRecord *ret) {
        sqlite3_stmt *row = ledger_query(front->ledger, NULL,
                                         "SELECT bytes, entries, created, checked, fault "
                                         "FROM layers WHERE digest = ?",
                                         "b", digest, DIGEST_SIZE);
        bool found = row && sqlite3_step(row) == SQLITE_ROW;
        const void *fault = found ? sqlite3_column_text(row, 4) : NULL;

        *ret = (LayerRecord){ .bytes = 0 };
        if (found)
                *ret = (LayerRecord){ .bytes = (uint64_t) sqlite3_column_int64(row, 0),
                                      .entries = (uint64_t) sqlite3_column_int64(row, 1),
                                      .created_usec = (uint64_t) sqlite3_column_int64(row, 2),
                                      .checked_usec = (uint64_t) sqlite3_column_int64(row, 3) };
        if (fault)
                (void) snprintf(ret->fault, sizeof ret->fault, "%s", (const char *) fault);
        (void) sqlite3_finalize(row);
        return found;
}

static struct DamagedLayer **find_damaged(struct DamagedLayer **at, const uint8_t *digest) {
        while (*at && memcmp((*at)->digest, digest, DIGEST_SIZE) != 0)
                at = &(*at)->next;
        return at;
}

static void forget(Front *front, const uint8_t *digest) {
        struct DamagedLayer **at = find_damaged(&front->damaged, digest), *damaged = *at;

        if (damaged)
                *at = damaged->next;
        free(damaged);
}

static int remember(Front *front, const uint8_t *digest) {
        struct DamagedLayer **at = find_damaged(&front->damaged, digest);

        if (*at)
                return 0;
        *at = calloc(1, sizeof **at);
        if (!*at)
                return -ENOMEM;
        memcpy((*at)->digest, digest, DIGEST_SIZE);
        return 0;
}

void layer_record_drop(Front *front, const uint8_t *digest) {
        Error err = ERROR_EMPTY;

        forget(front, digest);
        if (ledger_exec(front->ledger, &err,
                        "DELETE FROM layers WHERE digest = ?1 AND NOT EXISTS "
                        "(SELECT 1 FROM holds WHERE digest = ?1)",
                        "b", digest, DIGEST_SIZE) < 0)
                log_event(LOG_WARNING, "a layer that is gone stays in the ledger", F_ERR(&err));
}

int layer_record_judge(Front *front, const uint8_t *digest, const char *fault, Error *err) {
        char text[DIGEST_TEXT_MAX];

        if (!fault) {
                forget(front, digest);
                return ledger_exec(front->ledger, err,
                                   "UPDATE layers SET checked = ?2, fault = NULL WHERE digest = ?1",
                                   "bi", digest, DIGEST_SIZE, (int64_t) units_now());
        }
        log_event(LOG_WARNING, "a layer is damaged", F("LAYER", digest_format(digest, text)),
                  F("FAULT", fault));
        if (remember(front, digest) < 0)
                return error_set(err, -ENOMEM, "remember a damaged layer");
        return ledger_exec(front->ledger, err,
                           "INSERT INTO layers (digest, bytes, entries, created, checked, fault) "
                           "VALUES (?1, 0, 0, 0, ?2, ?3) ON CONFLICT (digest) DO UPDATE "
                           "SET checked = ?2, fault = ?3",
                           "bit", digest, DIGEST_SIZE, (int64_t) units_now(), fault);
}

bool layer_is_damaged(const Front *front, const uint8_t *digest) {
        const struct DamagedLayer *damaged = front->damaged;

        while (damaged && memcmp(damaged->digest, digest, DIGEST_SIZE) != 0)
                damaged = damaged->next;
        return damaged;
}

int layers_allow(Front *front, const Plan *plan, Error *err) {
        char text[DIGEST_TEXT_MAX];

        for (unsigned i = 0; front->damaged && i < plan->n_layers; i++)
                if (plan->layers[i].kind == LAYER_STORE &&
                    layer_is_damaged(front, plan->layers[i].digest))
                        return error_say(err, -EUCLEAN,
                                         "the layer %s was found damaged, and goes into no jail: "
                                         "`warder snapshot fsck` says how; importing the same "
                                         "content again puts it right",
                                         digest_format(plan->layers[i].digest, text));
        return 0;
}

int layer_records_load(Front *front, Error *err) {
        sqlite3_stmt *rows = ledger_query(front->ledger, err,
                                          "SELECT digest FROM layers WHERE fault NOT NULL", "");
        int r = 0, step = SQLITE_ROW;

        if (!rows)
                return -EIO;
        while (r == 0 && (step = sqlite3_step(rows)) == SQLITE_ROW)
                if (sqlite3_column_bytes(rows, 0) == DIGEST_SIZE)
                        r = remember(front, sqlite3_column_blob(rows, 0));
        (void) sqlite3_finalize(rows);
        if (r < 0)
                return error_set(err, r, "read which layers are damaged");
        return step == SQLITE_DONE ? 0 : error_say(err, -EIO, "ledger: the layers cannot be read");
}

void layer_records_stop(Front *front) {
        while (front->damaged)
                forget(front, front->damaged->digest);
}

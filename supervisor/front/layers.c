/*
 * layers: see layers.h.
 *
 * A layer that nobody holds is written down as loose and removed by a sweep, whatever else is under way: an
 * import holds its layer from before the commit, where an existing one of the same content wins. The monitor
 * refuses to remove what a jail stands on: it stays loose until a later sweep.
 */
#include "supervisor/front/layers.h"

#include <string.h>

#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/monitor-link.h"

#define SWEEP_MAX 64 /* layers in one sweep */

typedef struct Removal {
        Front *front;
        uint8_t digest[32];
} Removal;

int layer_hold(Front *front, const uint8_t *digest, const char *holder, Error *err) {
        int r = ledger_exec(front->ledger, err,
                            "INSERT OR IGNORE INTO holds (digest, holder) VALUES (?, ?)", "bt",
                            digest, 32, holder);

        return r < 0 ? r
                     : ledger_exec(front->ledger, err, "DELETE FROM loose WHERE digest = ?", "b",
                                   digest, 32);
}

int layer_discard(Front *front, const uint8_t *digest, Error *err) {
        int r = ledger_exec(front->ledger, err,
                            "INSERT OR IGNORE INTO loose (digest) SELECT ?1 WHERE NOT EXISTS "
                            "(SELECT 1 FROM holds WHERE digest = ?1)",
                            "b", digest, 32);

        if (r >= 0)
                layers_sweep(front);
        return r;
}

int layer_release(Front *front, const uint8_t *digest, const char *holder, Error *err) {
        int r = ledger_exec(front->ledger, err, "DELETE FROM holds WHERE digest = ? AND holder = ?",
                            "bt", digest, 32, holder);

        return r < 0 ? r : layer_discard(front, digest, err);
}

static void on_removed(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        autofree Removal *removal = userdata;
        Error err = ERROR_EMPTY;

        (void) fds;
        (void) n_fds;
        if (reply->code != -EBUSY)
                return;
        removal->front->sweep_later = true;
        if (ledger_exec(removal->front->ledger, &err,
                        "INSERT OR IGNORE INTO loose (digest) SELECT ?1 WHERE NOT EXISTS "
                        "(SELECT 1 FROM holds WHERE digest = ?1)",
                        "b", removal->digest, 32) < 0)
                log_event(LOG_WARNING, "a layer stays in the store", F_ERR(&err));
}

static void remove_layer(Front *front, const uint8_t *digest) {
        autofree Removal *removal = calloc(1, sizeof *removal);
        Error err = ERROR_EMPTY;
        int r = -ENOMEM;

        if (removal) {
                removal->front = front;
                memcpy(removal->digest, digest, sizeof removal->digest);
                r = ledger_exec(front->ledger, &err, "DELETE FROM loose WHERE digest = ?", "b",
                                digest, 32);
        }
        if (r >= 0)
                r = monitor_layer(front->monitor, REQUEST_LAYER_REMOVE, 0, digest, on_removed,
                                  removal, &err);
        if (r < 0)
                log_event(LOG_WARNING, "a layer stays in the store", F_ERR(&err));
        else
                (void) TAKE_PTR(removal);
}

void layers_sweep(Front *front) {
        uint8_t digests[SWEEP_MAX][32];
        unsigned n = 0;
        sqlite3_stmt *stmt;

        front->sweep_later = false;
        stmt = ledger_query(front->ledger, NULL, "SELECT digest FROM loose", "");
        while (stmt && n < SWEEP_MAX && sqlite3_step(stmt) == SQLITE_ROW)
                if (sqlite3_column_bytes(stmt, 0) == 32)
                        memcpy(digests[n++], sqlite3_column_blob(stmt, 0), 32);
        sqlite3_finalize(stmt);
        for (unsigned i = 0; i < n; i++)
                remove_layer(front, digests[i]);
}

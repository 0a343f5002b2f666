/*
 * layers: see layers.h.
 *
 * A layer that nobody holds is written down as loose and removed by a sweep, whatever else is under way: an
 * import holds its layer from before the commit, where an existing one of the same content wins. It stays loose
 * until it is gone. The monitor refuses to remove what a jail stands on: that waits until one that stood on it
 * has ended; and now and then it is asked again, since not each end is told of.
 *
 *   LOOSE --sweep--> ASKED --gone--> forgotten
 *     ^                | refused
 *     +--later------- WAITING      layer_hold() takes it out of each of them
 *
 * What is asked for and what waits is in a table of this process alone. Who let go of a layer does not come
 * again where the ledger could not be written (a full disk, say): that, too, is for a later sweep.
 */
#include "supervisor/front/store/layers.h"

#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/store/layer-import.h"
#include "supervisor/front/store/layer-records.h"

#define SWEEP_MAX     64       /* layers in one sweep */
#define WAIT_USEC_MIN 1000000u /* then what waits is tried, whoever ends; in vain: twice as long */
#define WAIT_USEC_MAX 64000000u
#define WAIT_ACCURACY 250000

typedef struct Removal {
        Front *front;
        uint8_t digest[32];
} Removal;

struct Collection {
        LayersCollected total;
        LayersCollectedFn done;
        void *userdata;
        bool is_complete; /* nothing more is asked for */
};

struct Unreleased {
        struct Unreleased *next;
        uint8_t digest[32];
        char holder[]; /* no longer */
};

static void sweep(Front *front);

/* Returns: may those that wait be tried */
static bool call_waiting(Front *front) {
        if (ledger_exec(front->ledger, NULL, "DELETE FROM asked WHERE waits", "") < 0)
                return false;
        front->sweep_later = false;
        return true;
}

/* A jail that came to nothing has no end that anybody is told, and its last process may have stood on a layer */
static int on_sweep_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Front *front = userdata;

        (void) source;
        (void) usec;
        if (front->sweep_wait_usec < WAIT_USEC_MAX)
                front->sweep_wait_usec *= 2;
        (void) call_waiting(front);
        sweep(front);
        return 0;
}

static void sweep_later(Front *front) {
        int on = SD_EVENT_OFF;

        front->sweep_later = true;
        if (!front->sweep_timer) {
                front->sweep_wait_usec = WAIT_USEC_MIN;
                (void) sd_event_add_time_relative(front->event, &front->sweep_timer,
                                                  CLOCK_MONOTONIC, WAIT_USEC_MIN, WAIT_ACCURACY,
                                                  on_sweep_timer, front);
                return;
        }
        (void) sd_event_source_get_enabled(front->sweep_timer, &on);
        if (on == SD_EVENT_OFF) {
                (void) sd_event_source_set_time_relative(front->sweep_timer,
                                                         front->sweep_wait_usec);
                (void) sd_event_source_set_enabled(front->sweep_timer, SD_EVENT_ONESHOT);
        }
}

static void forget_release(Front *front, const uint8_t *digest, const char *holder) {
        struct Unreleased **at = &front->unreleased, *late;

        while (*at && (memcmp((*at)->digest, digest, sizeof(*at)->digest) != 0 ||
                       strcmp((*at)->holder, holder) != 0))
                at = &(*at)->next;
        late = *at;
        if (late)
                *at = late->next;
        free(late); /* what was asked for may lie in it */
}

/* Each once: who holds again needs to forget one only */
static void remember_release(Front *front, const uint8_t *digest, const char *holder) {
        size_t n = strlen(holder) + 1;
        struct Unreleased *late = malloc(sizeof *late + n);

        forget_release(front, digest, holder);
        if (!late)
                return;
        late->next = front->unreleased;
        memcpy(late->digest, digest, sizeof late->digest);
        memcpy(late->holder, holder, n);
        front->unreleased = late;
        sweep_later(front);
}

void layers_stop(Front *front) {
        front->sweep_timer = sd_event_source_disable_unref(front->sweep_timer);
        free(front->collection);
        front->collection = NULL;
        while (front->unreleased)
                forget_release(front, front->unreleased->digest, front->unreleased->holder);
}

static int forget_loose(Front *front, const uint8_t *digest, Error *err) {
        int r = ledger_exec(front->ledger, err, "DELETE FROM loose WHERE digest = ?", "b", digest,
                            32);

        return r < 0 ? r
                     : ledger_exec(front->ledger, err, "DELETE FROM asked WHERE digest = ?", "b",
                                   digest, 32);
}

int layer_hold(Front *front, const uint8_t *digest, const char *holder, Error *err) {
        int r = ledger_exec(front->ledger, err,
                            "INSERT OR IGNORE INTO holds (digest, holder) VALUES (?, ?)", "bt",
                            digest, 32, holder);

        if (r < 0)
                return r;
        forget_release(front, digest, holder);
        return forget_loose(front, digest, err);
}

static int write_loose(Front *front, const uint8_t *digest, Error *err) {
        return ledger_exec(front->ledger, err,
                           "INSERT OR IGNORE INTO loose (digest) SELECT ?1 WHERE NOT EXISTS "
                           "(SELECT 1 FROM holds WHERE digest = ?1)",
                           "b", digest, 32);
}

int layer_discard(Front *front, const uint8_t *digest, Error *err) {
        int r = write_loose(front, digest, err);

        if (r >= 0)
                layers_sweep(front);
        return r;
}

int layers_discard(Front *front, uint8_t (*digests)[32], unsigned n, Error *err) {
        int r = ledger_begin(front->ledger, false, err);

        if (r < 0)
                return r;
        for (unsigned i = 0; r >= 0 && i < n; i++)
                r = write_loose(front, digests[i], err);
        return ledger_end(front->ledger, r, err);
}

int layer_let_go(Front *front, const uint8_t *digest, const char *holder, Error *err) {
        int r = ledger_exec(front->ledger, err, "DELETE FROM holds WHERE digest = ? AND holder = ?",
                            "bt", digest, 32, holder);

        return r < 0 ? r : write_loose(front, digest, err);
}

static int release_rows(Front *front, const uint8_t *digest, const char *holder, Error *err) {
        int r = ledger_begin(front->ledger, false, err);

        return r < 0 ? r : ledger_end(front->ledger, layer_let_go(front, digest, holder, err), err);
}

int layer_release(Front *front, const uint8_t *digest, const char *holder, Error *err) {
        int r = release_rows(front, digest, holder, err);

        if (r < 0)
                remember_release(front, digest, holder);
        else
                layers_sweep(front);
        return r;
}

/* Returns: false: again there is one that could not be written */
static bool release_late(Front *front) {
        while (front->unreleased) {
                const struct Unreleased *late = front->unreleased;

                if (release_rows(front, late->digest, late->holder, NULL) < 0)
                        return false;
                forget_release(front, late->digest, late->holder);
        }
        return true;
}

/* The collection is over when nothing is left to ask for. One sweep at a time: the monitor's queue has an end. */
static void conclude(Front *front) {
        autofree struct Collection *collection = NULL;

        if (front->removals > 0 || !front->collection || !front->collection->is_complete)
                return;
        sweep(front);
        if (front->removals > 0)
                return;
        collection = TAKE_PTR(front->collection);
        collection->done(&collection->total, collection->userdata);
}

static void count(Front *front, const uint8_t *digest, bool removed) {
        struct Collection *collection = front->collection;
        LayerRecord record;

        if (!collection)
                return;
        (void) layer_record_find(front, digest, &record);
        collection->total.layers += removed;
        collection->total.waiting += !removed;
        if (removed)
                collection->total.bytes += layer_disk_bytes(record.bytes, record.entries);
}

/* It is held again where it is asked for no more: then its next removal is another one */
static void forget_gone(Front *front, const uint8_t *digest) {
        Error err = ERROR_EMPTY;

        layer_record_drop(front, digest);
        if (ledger_number(front->ledger, 0, "SELECT count(*) FROM asked WHERE digest = ?", "b",
                          digest, 32) > 0 &&
            forget_loose(front, digest, &err) < 0)
                log_event(LOG_WARNING, "a layer that is gone stays in the ledger", F_ERR(&err));
}

/* The last of those that wait, so that a sweep comes to all. A failure asks again a little earlier. */
static void wait_for_jail(Front *front, const uint8_t *digest) {
        sweep_later(front);
        (void) ledger_exec(front->ledger, NULL,
                           "UPDATE loose SET rowid = (SELECT max(rowid) + 1 FROM loose) WHERE "
                           "digest = ?",
                           "b", digest, 32);
        (void) ledger_exec(front->ledger, NULL, "UPDATE asked SET waits = 1 WHERE digest = ?", "b",
                           digest, 32);
}

/* What was not removed, whatever the reason, is tried again when a jail has ended */
static void on_removed(const MonitorReply *reply, int *fds, unsigned n_fds, void *userdata) {
        autofree Removal *removal = userdata;
        bool is_gone = reply->code == 0 || reply->code == -ENOENT;
        Front *front = removal->front;

        (void) fds;
        (void) n_fds;
        if (reply->code != -ENOENT)
                count(front, removal->digest, is_gone);
        if (is_gone)
                forget_gone(front, removal->digest);
        else
                wait_for_jail(front, removal->digest);
        front->removals--;
        conclude(front);
}

static void remove_layer(Front *front, const uint8_t *digest) {
        autofree Removal *removal = calloc(1, sizeof *removal);
        Error err = ERROR_EMPTY;
        int r = -ENOMEM;

        if (removal) {
                removal->front = front;
                memcpy(removal->digest, digest, sizeof removal->digest);
                r = ledger_exec(front->ledger, &err, "INSERT INTO asked (digest) VALUES (?)", "b",
                                digest, 32);
        }
        if (r >= 0)
                r = monitor_layer(front->monitor, REQUEST_LAYER_REMOVE, 0, digest, on_removed,
                                  removal, &err);
        if (r < 0) {
                wait_for_jail(front, digest);
                log_event(LOG_WARNING, "a layer stays in the store", F_ERR(&err));
        } else {
                front->removals++;
                (void) TAKE_PTR(removal);
        }
}

/* What is new, as much as one reading of the ledger gives */
static void sweep(Front *front) {
        uint8_t digests[SWEEP_MAX][32];
        unsigned n = 0;
        sqlite3_stmt *stmt;
        int r = SQLITE_ERROR;
        bool all = release_late(front);

        stmt = ledger_query(front->ledger, NULL,
                            "SELECT digest FROM loose WHERE digest NOT IN (SELECT digest FROM "
                            "asked) ORDER BY rowid",
                            "");
        while (stmt && n < SWEEP_MAX && (r = sqlite3_step(stmt)) == SQLITE_ROW)
                if (sqlite3_column_bytes(stmt, 0) == 32)
                        memcpy(digests[n++], sqlite3_column_blob(stmt, 0), 32);
        if (!all || r != SQLITE_DONE) /* there are more, or they could not be read */
                sweep_later(front);
        sqlite3_finalize(stmt);
        for (unsigned i = 0; i < n; i++)
                remove_layer(front, digests[i]);
}

/* What is new does not queue behind what waits */
void layers_sweep(Front *front) {
        front->sweep_wait_usec = WAIT_USEC_MIN;
        sweep(front);
}

/*
 * Only what it stood on itself: else the ends of many jails would ask for each layer that waits, and hear that another
 * jail stands on it, as often as there are jails times layers.
 */
void layers_jail_ends(Front *front, const Plan *plan) {
        for (unsigned i = 0; front->sweep_later && i < plan->n_layers; i++)
                if (plan->layers[i].kind == LAYER_STORE)
                        (void) ledger_exec(front->ledger, NULL,
                                           "DELETE FROM asked WHERE digest = ? AND waits", "b",
                                           plan->layers[i].digest, DIGEST_SIZE);
}

int layers_collect_begin(Front *front, LayersCollectedFn done, void *userdata, Error *err) {
        struct Collection *collection;

        if (front->collection)
                return error_say(err, -EBUSY, "somebody is collecting already: try again");
        collection = calloc(1, sizeof *collection);
        if (!collection)
                return error_set(err, -ENOMEM, "collect what nothing uses");
        *collection = (struct Collection){ .done = done, .userdata = userdata };
        front->collection = collection;
        return 0;
}

/* What has been asked for is not asked for again: this comes to an end. */
void layers_collect_end(Front *front) {
        (void) call_waiting(front);
        front->collection->is_complete = true;
        conclude(front);
}

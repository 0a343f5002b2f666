/*
 * snapshot-fsck: see snapshot-fsck.h.
 *
 *   which layers -> one after the other: warder-files check in a jail of its own, which sees this layer and nothing else
 *                -> digest compared, the finding written down -> answer
 *
 * A layer is found damaged where its digest is another, where it is not there, and where it holds what no layer can or cannot
 * be read. Where the job could not be done (no memory, no place for a jail) nothing is said of the layer.
 *
 * Who sees everybody's layers is told of those that nobody knows as well (layers-on-disk.h): they come last, are read like
 * the others, and nothing is written down of them but their size.
 */
#include "supervisor/front/store/snapshot-fsck.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/owned.h"
#include "supervisor/front/jails/filesjob.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/policy/policies.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/store/layer-records.h"
#include "supervisor/front/store/layers-on-disk.h"

/* What is described of all three kinds together, as JSON; more is counted. A line of the protocol holds 1 MiB */
#define FOUND_BYTES_MAX (512u << 10)
#define PATHS_MAX       100u        /* of one layer */
#define PATHS_BYTES_MAX (16u << 10) /* that these have; in JSON six times as much at most */

typedef struct Found {
        cJSON *list;    /* owned */
        uint64_t total; /* those that are not described, too */
} Found;

typedef struct Fsck {
        Front *front;                   /* borrowed, outlives us */
        Call *call;                     /* answered by us */
        uint32_t uid, sees;             /* who asked, and what it sees: call_uid() */
        uint8_t (*layers)[DIGEST_SIZE]; /* owned */
        unsigned n, at;
        unsigned n_known;                    /* the first of them; nobody knows the rest */
        uint64_t bytes;                      /* of those before */
        uint64_t layer_bytes, layer_entries; /* of the one at hand */
        uint8_t digest[DIGEST_SIZE];
        bool has_digest;
        cJSON *paths;      /* owned: of the one at hand */
        size_t path_bytes; /* in there */
        Found damaged, unchecked, unknown;
        size_t found_bytes; /* of all that is in their lists */
        unsigned n_mended;
} Fsck;

static Fsck *fsck_free(Fsck *fsck) {
        if (!fsck)
                return NULL;
        json_free(fsck->paths);
        json_free(fsck->damaged.list);
        json_free(fsck->unchecked.list);
        json_free(fsck->unknown.list);
        free(fsck->layers);
        free(fsck);
        return NULL;
}
DEFINE_SCOPED(Fsck *, fsck_free);

static void answer(Fsck *fsck) {
        SCOPED(fsck_free) Fsck *owned = fsck;
        cJSON *json = cJSON_CreateObject();

        json_add_number(json, "layers", fsck->n_known);
        json_add_number(json, "bytes", fsck->bytes);
        json_add_number(json, "damaged_total", fsck->damaged.total);
        json_add_consume(json, "damaged", TAKE_PTR(fsck->damaged.list));
        json_add_number(json, "unchecked_total", fsck->unchecked.total);
        json_add_consume(json, "unchecked", TAKE_PTR(fsck->unchecked.list));
        json_add_number(json, "mended", fsck->n_mended);
        json_add_number(json, "unknown_total", fsck->unknown.total);
        json_add_consume(json, "unknown", TAKE_PTR(fsck->unknown.list));
        call_answer(owned->call, json, NULL, 0);
}

/* ---- what was found ------------------------------------------------------------------------------- */

/* One more. Where there is no room for it in the answer it is counted and not described */
static void add_found(Fsck *fsck, Found *found, cJSON *item_consume) {
        SCOPED(json_free) cJSON *item = item_consume;
        autofree char *text = item ? json_print(item) : NULL;
        size_t n = text ? strlen(text) + 1 : FOUND_BYTES_MAX;

        found->total++;
        if (fsck->found_bytes + n > FOUND_BYTES_MAX)
                return;
        fsck->found_bytes += n;
        json_push_consume(found->list, TAKE_PTR(item));
}

/* "snapshot:1000:debian": for its owner "debian", for an administrator "1000:debian" */
static void add_snapshots(const Fsck *fsck, cJSON *list, const uint8_t *digest) {
        sqlite3_stmt *rows = ledger_query(fsck->front->ledger, NULL,
                                          "SELECT substr(holder, 10) FROM holds WHERE "
                                          "digest = ? AND holder LIKE 'snapshot:%'",
                                          "b", digest, DIGEST_SIZE);
        char own[24];
        size_t n;

        (void) snprintf(own, sizeof own, "%u:", fsck->uid);
        n = strlen(own);
        while (rows && sqlite3_step(rows) == SQLITE_ROW) {
                const char *name = (const char *) sqlite3_column_text(rows, 0);

                if (name && strncmp(name, own, n) == 0)
                        json_push_text(list, name + n);
                else if (name && fsck->sees == 0)
                        json_push_text(list, name);
        }
        (void) sqlite3_finalize(rows);
}

static void add_damaged(Fsck *fsck, const uint8_t *digest, const char *fault) {
        SnapshotInfo info = { .n_layers = 1 };
        char text[DIGEST_TEXT_MAX];
        cJSON *item;

        memcpy(info.layers[0], digest, DIGEST_SIZE);
        item = cJSON_CreateObject();
        json_add_text(item, "layer", digest_format(digest, text));
        json_add_text(item, "fault", fault);
        json_add_consume(item, "paths", TAKE_PTR(fsck->paths));
        add_snapshots(fsck, json_add_array(item, "snapshots"), digest);
        snapshot_add_jails(fsck->front, item, &info, fsck->sees);
        add_found(fsck, &fsck->damaged, item);
}

static void add_unchecked(Fsck *fsck, const uint8_t *digest, const Error *why) {
        cJSON *item = cJSON_CreateObject();
        char text[DIGEST_TEXT_MAX];

        json_add_text(item, "layer", digest_format(digest, text));
        json_add_text(item, "text", why->text);
        add_found(fsck, &fsck->unchecked, item);
}

/* Is it the layer itself that is not there, and not something that the job needed */
static bool is_missing(const Fsck *fsck, const uint8_t *digest, const Error *err) {
        return err->code == -EUCLEAN && layer_is_on_disk(fsck->front, digest, NULL) == 0;
}

/* Whoever let go of it meanwhile may have had it removed: then nothing is wrong with it */
static bool is_held(const Fsck *fsck, const uint8_t *digest) {
        return ledger_number(fsck->front->ledger, 1, "SELECT count(*) FROM holds WHERE digest = ?",
                             "b", digest, DIGEST_SIZE) > 0;
}

/* Returns: is it damaged; else @ret is "" */
static bool judge(const Fsck *fsck, const uint8_t *digest, const FilesJobEnd *end, char *ret) {
        *ret = 0;
        if (!end->err && fsck->has_digest && memcmp(fsck->digest, digest, DIGEST_SIZE) != 0)
                (void) snprintf(ret, LAYER_FAULT_MAX,
                                "its content is not the one that it is named after");
        else if (end->err && end->refused)
                (void) snprintf(ret, LAYER_FAULT_MAX, "%.230s", end->err->text);
        else if (end->err && is_missing(fsck, digest, end->err) && is_held(fsck, digest))
                (void) snprintf(ret, LAYER_FAULT_MAX, "it is not in the store");
        return *ret;
}

/* A layer that nobody knew when we began. Its size is written down for who has it removed (snapshot-gc.h) */
static void add_unknown(Fsck *fsck, const uint8_t *digest, const FilesJobEnd *end) {
        char text[DIGEST_TEXT_MAX], fault[LAYER_FAULT_MAX];
        cJSON *item;

        if (layer_is_known(fsck->front, digest) || (end->err && is_missing(fsck, digest, end->err)))
                return; /* it is known now, or gone */
        if (!judge(fsck, digest, end, fault) && end->err) {
                add_unchecked(fsck, digest, end->err);
                return;
        }
        item = cJSON_CreateObject();
        json_add_text(item, "layer", digest_format(digest, text));
        json_add_number(item, "bytes", fsck->layer_bytes);
        json_add_number(item, "entries", fsck->layer_entries);
        if (*fault)
                json_add_text(item, "fault", fault);
        add_found(fsck, &fsck->unknown, item);
        (void) layer_record_add(fsck->front, digest, fsck->layer_bytes, fsck->layer_entries, NULL);
}

static void check_known(Fsck *fsck, const uint8_t *digest, const FilesJobEnd *end) {
        bool was_damaged = layer_is_damaged(fsck->front, digest);
        char fault[LAYER_FAULT_MAX];
        Error err = ERROR_EMPTY;

        if (judge(fsck, digest, end, fault)) {
                (void) layer_record_judge(fsck->front, digest, fault, &err);
                add_damaged(fsck, digest, fault);
        } else if (end->err) {
                if (!is_missing(fsck, digest, end->err)) /* else it went meanwhile */
                        err = *end->err;
        } else {
                (void) layer_record_judge(fsck->front, digest, NULL, &err);
                fsck->n_mended += was_damaged;
        }
        if (err.code)
                add_unchecked(fsck, digest, &err);
        fsck->bytes += fsck->layer_bytes;
}

static void next(Fsck *fsck);

static void on_done(const FilesJobEnd *end, void *userdata) {
        Fsck *fsck = userdata;
        const uint8_t *digest = fsck->layers[fsck->at];

        if (fsck->at < fsck->n_known)
                check_known(fsck, digest, end);
        else
                add_unknown(fsck, digest, end);
        fsck->at++;
        next(fsck);
}

/* ---- one layer after the other -------------------------------------------------------------------- */

static void tell_progress(const Fsck *fsck, uint64_t bytes, uint64_t entries) {
        cJSON *params = cJSON_CreateObject();

        json_add_number(params, "layer", fsck->at + 1);
        json_add_number(params, "layers", fsck->n);
        json_add_number(params, "bytes", fsck->bytes + bytes);
        json_add_number(params, "entries", entries);
        call_notify(fsck->call, "snapshot.progress", params);
}

static void add_path(Fsck *fsck, const char *path) {
        size_t n = strlen(path);

        if (cJSON_GetArraySize(fsck->paths) >= (int) PATHS_MAX ||
            fsck->path_bytes + n > PATHS_BYTES_MAX)
                return;
        fsck->path_bytes += n;
        json_push_text(fsck->paths, path);
}

static void on_record(const Record *record, void *userdata) {
        Fsck *fsck = userdata;

        if (record->head.kind == RECORD_PROGRESS) {
                tell_progress(fsck, record->head.a, record->head.b);
        } else if (record->head.kind == RECORD_PATH) {
                add_path(fsck, *record->data ? record->data : ".");
        } else if (record->head.kind == RECORD_TOTALS) {
                fsck->layer_bytes = record->head.a;
                fsck->layer_entries = record->head.b;
        } else if (record->head.kind == RECORD_DIGEST && record->head.flags == DIGEST_LAYER &&
                   record->head.size == DIGEST_SIZE) {
                memcpy(fsck->digest, record->data, DIGEST_SIZE);
                fsck->has_digest = true;
        }
}

static int start_job(Fsck *fsck, Error *err) {
        const Policy *policy = policies_find(fsck->front->policies, "files", err);
        PlanLayer layer = { .kind = LAYER_STORE };
        LayerRecord record;
        char since[24];
        const char *argv[] = { "check", "--since", since, NULL };
        FilesJobSpec job = { .argv = argv,
                             .input_fd = -EBADF,
                             .output_fd = -EBADF,
                             .reads_damaged = true,
                             .owner_uid = fsck->uid };
        FilesJob *started;
        int r;

        if (!policy)
                return err->code;
        memcpy(layer.digest, fsck->layers[fsck->at], DIGEST_SIZE);
        (void) layer_record_find(fsck->front, layer.digest, &record);
        (void) snprintf(since, sizeof since, "%" PRIu64, record.created_usec * 1000);
        fsck->has_digest = false;
        fsck->layer_bytes = fsck->layer_entries = 0;
        json_free(fsck->paths);
        fsck->paths = cJSON_CreateArray();
        fsck->path_bytes = 0;
        plan_init(&job.plan, policy_limits(policy));
        r = plan_view(&job.plan, VIEW_OLD, VIEW_DIRECT, &layer, 1, err);
        return r < 0 ? r
                     : files_job_start(fsck->front, &job, on_record, on_done, fsck, &started, err);
}

/* Who asked may have gone, and nothing is read for nobody. A failure to start is one of the host, and ends it. */
static void next(Fsck *fsck) {
        Error err = ERROR_EMPTY;

        if (fsck->at == fsck->n || !call_client(fsck->call)) {
                answer(fsck);
        } else if (start_job(fsck, &err) < 0) {
                quota_refuse(fsck->front, fsck->call, &err);
                call_fail(fsck->call, NULL, &err);
                fsck_free(fsck);
        }
}

/* ---- which layers --------------------------------------------------------------------------------- */

static int take_layers(Fsck *fsck, sqlite3_stmt *rows) {
        while (sqlite3_step(rows) == SQLITE_ROW) {
                uint8_t(*more)[DIGEST_SIZE] =
                        reallocarray(fsck->layers, fsck->n + 1, sizeof *fsck->layers);

                if (!more)
                        return -ENOMEM;
                fsck->layers = more;
                if (sqlite3_column_bytes(rows, 0) == DIGEST_SIZE)
                        memcpy(fsck->layers[fsck->n++], sqlite3_column_blob(rows, 0), DIGEST_SIZE);
        }
        return 0;
}

static int find_unknown(Fsck *fsck, Error *err) {
        autofree uint8_t(*unknown)[DIGEST_SIZE] = NULL;
        uint8_t(*more)[DIGEST_SIZE];
        unsigned n = 0;
        int r = layers_unknown(fsck->front, &unknown, &n, err);

        if (r < 0 || n == 0)
                return r;
        more = reallocarray(fsck->layers, fsck->n + n, sizeof *fsck->layers);
        if (!more)
                return error_set(err, -ENOMEM, "list the layers");
        fsck->layers = more;
        memcpy(fsck->layers + fsck->n, unknown, n * sizeof *unknown);
        fsck->n += n;
        return 0;
}

static int find_layers(Fsck *fsck, Error *err) {
        const SnapshotHolders holders = snapshot_holders(fsck->uid);
        sqlite3_stmt *rows;
        int r;

        rows = ledger_query(fsck->front->ledger, err,
                            "SELECT DISTINCT digest FROM holds WHERE ?3 OR "
                            "(holder >= ?1 AND holder < ?2)",
                            "tti", holders.from, holders.to, (int64_t) (fsck->sees == 0));
        if (!rows)
                return -EIO;
        r = take_layers(fsck, rows);
        (void) sqlite3_finalize(rows);
        fsck->n_known = fsck->n;
        if (r < 0)
                return error_set(err, r, "list the layers");
        return fsck->sees == 0 ? find_unknown(fsck, err) : 0;
}

static int take_named(Fsck *fsck, const cJSON *params, Error *err) {
        SnapshotInfo info;
        int r = snapshot_named(fsck->front, fsck->call, params, &info, err);

        if (r < 0)
                return r;
        fsck->layers = calloc(info.n_layers + 1, sizeof *fsck->layers);
        if (!fsck->layers)
                return error_set(err, -ENOMEM, "list the layers");
        fsck->n = fsck->n_known = info.n_layers;
        memcpy(fsck->layers, info.layers, info.n_layers * sizeof *fsck->layers);
        return 0;
}

int snapshot_fsck(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        SCOPED(fsck_free) Fsck *fsck = calloc(1, sizeof *fsck);
        int r;

        (void) ret_result; /* answer() */
        if (!fsck)
                return error_set(err, -ENOMEM, "check layers");
        fsck->front = front;
        fsck->call = call;
        fsck->uid = call_peer(call)->uid;
        fsck->sees = call_uid(call);
        fsck->damaged.list = cJSON_CreateArray();
        fsck->unchecked.list = cJSON_CreateArray();
        fsck->unknown.list = cJSON_CreateArray();
        r = quota_charge_create(front, fsck->uid, err);
        if (r >= 0)
                r = json_text(params, "name") ? take_named(fsck, params, err)
                                              : find_layers(fsck, err);
        if (r >= 0 && fsck->n > 0)
                r = start_job(fsck, err);
        if (r < 0)
                return r;
        if (fsck->n == 0)
                answer(TAKE_PTR(fsck));
        (void) TAKE_PTR(fsck);
        return 0;
}

/*
 * snapshots: see snapshots.h.
 */
#include "supervisor/front/store/snapshots.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/gate/setup-cache.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/store/layer-import.h"
#include "supervisor/front/store/layer-records.h"
#include "supervisor/front/store/layers.h"
#include "supervisor/front/tasks/replays.h"
#include "supervisor/front/tasks/task-history.h"
#include "supervisor/front/tasks/tasks.h"

#define HOST       "host"
#define HOLDER     "snapshot:" /* OWNER:NAME */
#define HOLDER_MAX 128
#define COLUMNS    "name, owner, layers, bytes, entries, created, shared"

static void host_info(SnapshotInfo *ret) {
        *ret = (SnapshotInfo){ .name = HOST };
}

/* A row of COLUMNS; what does not fit the struct is a damaged ledger. */
static int take_row(sqlite3_stmt *stmt, SnapshotInfo *ret, Error *err) {
        const void *name = sqlite3_column_text(stmt, 0);
        const void *layers = sqlite3_column_blob(stmt, 2);
        int size = sqlite3_column_bytes(stmt, 2);

        *ret = (SnapshotInfo){ .owner_uid = (uint32_t) sqlite3_column_int64(stmt, 1),
                               .bytes = (uint64_t) sqlite3_column_int64(stmt, 3),
                               .entries = (uint64_t) sqlite3_column_int64(stmt, 4),
                               .created_usec = (uint64_t) sqlite3_column_int64(stmt, 5),
                               .is_public = sqlite3_column_int64(stmt, 6) != 0 };
        if (!name || !layers || size <= 0 || size % 32 != 0 || (size_t) size > sizeof ret->layers)
                return error_say(err, -EIO, "ledger: a snapshot's row is damaged");
        (void) snprintf(ret->name, sizeof ret->name, "%s", (const char *) name);
        ret->n_layers = (unsigned) size / 32;
        memcpy(ret->layers, layers, (size_t) size);
        return 0;
}

/* What is meant by a name: one of @own (-1: nobody), else what @other has published. */
static int find(Front *front, const char *name, int64_t own, int64_t other, SnapshotInfo *ret,
                Error *err) {
        sqlite3_stmt *stmt;
        int r;

        stmt = ledger_query(front->ledger, err,
                            "SELECT " COLUMNS " FROM snapshots WHERE name = ?1 AND "
                            "(owner = ?2 OR (owner = ?3 AND shared)) "
                            "ORDER BY owner = ?2 DESC LIMIT 1",
                            "tii", name, own, other);
        if (!stmt)
                return -EIO;
        if (sqlite3_step(stmt) == SQLITE_ROW)
                r = take_row(stmt, ret, err);
        else
                r = error_say(err, -ENOENT,
                              "there is no snapshot %.64s: see `warder snapshot list`, or make it "
                              "with `warder snapshot import`",
                              name);
        sqlite3_finalize(stmt);
        return r;
}

/* "1000:debian": the one of that user. Returns: the name, in @text; NULL where it is a name alone */
static const char *find_owner(const char *text, int64_t *ret_owner) {
        size_t n = strspn(text, "0123456789");

        if (n == 0 || n > 10 || text[n] != ':')
                return NULL;
        *ret_owner = strtoll(text, NULL, 10);
        return text + n + 1;
}

int snapshots_find(Front *front, const char *name, uint32_t uid, SnapshotInfo *ret, Error *err) {
        int64_t owner = 0;
        const char *of_owner = find_owner(name, &owner);

        if (of_owner)
                return find(front, of_owner, owner == uid ? owner : -1, owner, ret, err);
        if (strcmp(name, HOST) != 0)
                return find(front, name, uid, 0, ret, err);
        host_info(ret);
        return 0;
}

int snapshots_find_of(Front *front, const char *name, uint32_t owner, bool is_public,
                      SnapshotInfo *ret, Error *err) {
        return find(front, name, is_public ? -1 : (int64_t) owner, owner, ret, err);
}

int snapshots_each(Front *front, const SnapshotsFrom *from, SnapshotFn each, void *userdata,
                   Error *err) {
        bool all = from->uid == 0, more = true;
        SnapshotInfo info;
        sqlite3_stmt *stmt;
        int r = 0;

        stmt = ledger_query(front->ledger, err,
                            "SELECT " COLUMNS ", rowid FROM snapshots WHERE rowid > ?3 AND "
                            "(owner = ?1 OR (shared AND ?2 < 2) OR ?2 = 1) ORDER BY rowid",
                            "iii", (int64_t) from->uid, (int64_t) (from->own ? 2 : all),
                            from->after);
        if (!stmt)
                return -EIO;
        while (r >= 0 && more && sqlite3_step(stmt) == SQLITE_ROW) {
                r = take_row(stmt, &info, err);
                info.row = sqlite3_column_int64(stmt, 7);
                if (r >= 0)
                        more = each(&info, userdata);
        }
        sqlite3_finalize(stmt);
        return r;
}

static uint64_t count_own(Front *front, uint32_t uid, const char *name) {
        sqlite3_stmt *stmt = ledger_query(front->ledger, NULL,
                                          "SELECT count(*) FROM snapshots WHERE owner = ?1 AND "
                                          "(?2 = '' OR name = ?2)",
                                          "it", (int64_t) uid, name);
        uint64_t n = UINT64_MAX;

        if (stmt && sqlite3_step(stmt) == SQLITE_ROW)
                n = (uint64_t) sqlite3_column_int64(stmt, 0);
        sqlite3_finalize(stmt);
        return n;
}

SnapshotHolders snapshot_holders(uint32_t uid) {
        SnapshotHolders holders;

        (void) snprintf(holders.from, sizeof holders.from, HOLDER "%u:", uid);
        (void) snprintf(holders.to, sizeof holders.to, HOLDER "%u;", uid); /* ';' comes after ':' */
        return holders;
}

/*
 * On disk: content, holes counted, and what an entry takes beside it (directories, links, attributes). A layer that several
 * snapshots of one user have counts once; where several users have it, once for each: none pays for another. Where the
 * ledger cannot be read nothing is added.
 */
static uint64_t bytes_of(Front *front, uint32_t uid) {
        const SnapshotHolders holders = snapshot_holders(uid);

        return (uint64_t) ledger_number(front->ledger, INT64_MAX,
                                        "SELECT ifnull(sum(bytes + ?3 * entries), 0) FROM layers "
                                        "WHERE digest IN (SELECT digest FROM holds WHERE "
                                        "holder >= ?1 AND holder < ?2)",
                                        "tti", holders.from, holders.to,
                                        (int64_t) LAYER_ENTRY_BYTES);
}

static bool is_held(Front *front, const uint8_t *layer, uint32_t uid) {
        const SnapshotHolders holders = snapshot_holders(uid);

        return ledger_number(front->ledger, 0,
                             "SELECT 1 FROM holds WHERE digest = ?1 AND holder >= ?2 AND "
                             "holder < ?3 LIMIT 1",
                             "btt", layer, DIGEST_SIZE, holders.from, holders.to) != 0;
}

/* What its owner does not have on disk yet */
static uint64_t bytes_more(Front *front, const SnapshotInfo *info) {
        uint64_t sum = 0;

        for (unsigned i = 0; i < info->n_layers; i++) {
                LayerRecord record;

                if (layer_record_find(front, info->layers[i], &record) &&
                    !is_held(front, info->layers[i], info->owner_uid))
                        sum += layer_disk_bytes(record.bytes, record.entries);
        }
        return sum;
}

/* May @bytes more be stored, and how much is left of the quota now? */
static int check_disk(Front *front, uint32_t uid, uint64_t bytes, uint64_t *ret_left, Error *err) {
        uint64_t used = snapshots_disk(front, uid), bound;
        int r = quota_check(front, uid, QUOTA_SNAPSHOT_DISK, used, bytes, err);
        const Ceiling *ceiling;

        /* what is only kept so that something need not be made again, or can be, goes first */
        while (r == -EDQUOT && (shield_cache_evict(tasks_shields(front->tasks), uid) ||
                                base_cache_evict(tasks_bases(front->tasks), uid) ||
                                replays_evict(front, tasks_holds(front->tasks), uid) ||
                                task_history_evict_ended(front, tasks_holds(front->tasks), uid) ||
                                setup_layers_evict(front, tasks_holds(front->tasks), uid))) {
                used = snapshots_disk(front, uid);
                *err = ERROR_EMPTY;
                r = quota_check(front, uid, QUOTA_SNAPSHOT_DISK, used, bytes, err);
        }

        if (r >= 0)
                r = quota_ceiling(front, uid, &ceiling, err);
        if (r < 0)
                return r;
        bound = ceiling->items[QUOTA_SNAPSHOT_DISK].value;
        if (ret_left)
                *ret_left = bound == CEILING_NONE ? UINT64_MAX : bound - used;
        return 0;
}

static int check_room(Front *front, uint32_t uid, uint64_t bytes, uint64_t *ret_left, Error *err) {
        uint64_t n = count_own(front, uid, "");
        int r;

        if (n >= SNAPSHOTS_PER_UID_MAX)
                return error_say(err, -EDQUOT, "you have %d snapshots already: remove some",
                                 SNAPSHOTS_PER_UID_MAX);
        r = quota_check(front, uid, QUOTA_SNAPSHOTS, n, 1, err);
        return r < 0 ? r : check_disk(front, uid, bytes, ret_left, err);
}

uint64_t snapshots_count(Front *front, uint32_t uid) {
        return count_own(front, uid, "");
}

uint64_t snapshots_disk(Front *front, uint32_t uid) {
        return bytes_of(front, uid) + quota_reserved(front, uid);
}

int snapshots_left(Front *front, uint32_t uid, uint64_t *ret_left, Error *err) {
        return check_disk(front, uid, 1, ret_left, err);
}

static int check_name(const char *name, Error *err) {
        if (!name_is_valid(name))
                return error_say(err, -EINVAL,
                                 "\"%.64s\" is no name of a snapshot: lower case letters, digits, "
                                 "'.', '_', '-', at most 64",
                                 name);
        if (strcmp(name, HOST) == 0)
                return error_say(err, -EEXIST,
                                 "%s is the name of this host's own root: choose another name",
                                 HOST);
        return 0;
}

int snapshots_check_new(Front *front, const char *name, uint32_t uid, uint64_t bytes,
                        uint64_t *ret_left, Error *err) {
        int r = check_name(name, err);

        if (r < 0)
                return r;
        if (count_own(front, uid, name) > 0)
                return error_say(err, -EEXIST,
                                 "there is a snapshot %s already: remove it first, or choose "
                                 "another name",
                                 name);
        return check_room(front, uid, bytes, ret_left, err);
}

static void holder_name(const SnapshotInfo *info, char *text) {
        (void) snprintf(text, HOLDER_MAX, HOLDER "%u:%s", info->owner_uid, info->name);
}

cJSON *snapshots_config(Front *front, const SnapshotInfo *info) {
        sqlite3_stmt *row = ledger_query(
                front->ledger, NULL, "SELECT config FROM snapshots WHERE owner = ? AND name = ?",
                "it", (int64_t) info->owner_uid, info->name);
        cJSON *config = NULL;

        if (row && info->n_layers > 0 && sqlite3_step(row) == SQLITE_ROW &&
            sqlite3_column_bytes(row, 0) > 0)
                (void) json_parse((const char *) sqlite3_column_text(row, 0),
                                  (size_t) sqlite3_column_bytes(row, 0), 0, &config, NULL);
        (void) sqlite3_finalize(row);
        return config;
}

cJSON *snapshots_image(Front *front, const char *name, uint32_t uid) {
        SnapshotInfo info;

        if (strcmp(name, HOST) == 0 || snapshots_find(front, name, uid, &info, NULL) < 0)
                return NULL;
        return snapshots_config(front, &info);
}

static int write_rows(Front *front, const SnapshotInfo *info, const char *config, Error *err) {
        char holder[HOLDER_MAX];
        int r = 0;

        holder_name(info, holder);
        for (unsigned i = 0; r >= 0 && i < info->n_layers; i++)
                r = layer_hold(front, info->layers[i], holder, err);
        return r < 0 ? r
                     : ledger_exec(front->ledger, err,
                                   "INSERT INTO snapshots (" COLUMNS
                                   ", config) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                                   "tibiiiit", info->name, (int64_t) info->owner_uid,
                                   (const void *) info->layers, (int) (info->n_layers * 32),
                                   (int64_t) info->bytes, (int64_t) info->entries,
                                   (int64_t) info->created_usec, (int64_t) info->is_public, config);
}

int snapshots_add(Front *front, const SnapshotInfo *info, const cJSON *config, Error *err) {
        autofree char *text = config ? json_print(config) : strdup("");
        int r;

        if (!text)
                return error_set(err, -ENOMEM, "add a snapshot");

        r = snapshots_check_new(front, info->name, info->owner_uid, bytes_more(front, info), NULL,
                                err);
        if (r < 0)
                return r;
        r = ledger_begin(front->ledger, true, err);
        return r < 0 ? r : ledger_end(front->ledger, write_rows(front, info, text, err), err);
}

static int remove_rows(Front *front, const SnapshotInfo *info, Error *err) {
        char holder[HOLDER_MAX];
        int r = ledger_exec(front->ledger, err,
                            "DELETE FROM snapshots WHERE owner = ? AND name = ?", "it",
                            (int64_t) info->owner_uid, info->name);

        holder_name(info, holder);
        for (unsigned i = 0; r >= 0 && i < info->n_layers; i++)
                r = layer_let_go(front, info->layers[i], holder, err);
        return r;
}

int snapshots_remove(Front *front, const SnapshotInfo *info, Error *err) {
        int r;

        if (info->n_layers == 0)
                return error_say(err, -EPERM, "the snapshot host is this host's own root");
        r = ledger_begin(front->ledger, false, err);
        if (r >= 0)
                r = ledger_end(front->ledger, remove_rows(front, info, err), err);
        if (r >= 0)
                layers_sweep(front);
        return r;
}

/* ---- other names ---------------------------------------------------------------------------------- */

static int check_tag(Front *front, const SnapshotInfo *info, bool replaces, Error *err) {
        int r = check_name(info->name, err);

        if (r < 0 || !replaces)
                return r < 0 ? r
                             : snapshots_check_new(front, info->name, info->owner_uid,
                                                   bytes_more(front, info), NULL, err);
        return check_disk(front, info->owner_uid, bytes_more(front, info), NULL, err);
}

static int write_tag(Front *front, const SnapshotInfo *old, const SnapshotInfo *info,
                     const char *config, Error *err) {
        int r = old ? remove_rows(front, old, err) : 0;

        return r < 0 ? r : write_rows(front, info, config, err);
}

int snapshots_tag(Front *front, const SnapshotInfo *from, const SnapshotInfo *to, bool replace,
                  Error *err) {
        SCOPED(json_free) cJSON *config = snapshots_config(front, from);
        autofree char *text = config ? json_print(config) : strdup("");
        SnapshotInfo old;
        bool replaces = replace && find(front, to->name, to->owner_uid, -1, &old, NULL) == 0;
        int r;

        if (!text)
                return error_set(err, -ENOMEM, "name a snapshot");
        if (from->n_layers == 0)
                return error_say(err, -EPERM, "the snapshot host is this host's own root");
        r = check_tag(front, to, replaces, err);
        if (r >= 0)
                r = ledger_begin(front->ledger, true, err);
        if (r < 0)
                return r;
        r = ledger_end(front->ledger, write_tag(front, replaces ? &old : NULL, to, text, err), err);
        if (r >= 0)
                layers_sweep(front);
        return r;
}

int snapshots_publish(Front *front, const SnapshotInfo *info, bool is_public, Error *err) {
        if (info->n_layers == 0)
                return error_say(err, -EPERM, "the snapshot host is this host's own root");
        return ledger_exec_full(front->ledger, err,
                                "UPDATE snapshots SET shared = ?1 WHERE owner = ?2 AND name = ?3",
                                "iit", (int64_t) is_public, (int64_t) info->owner_uid, info->name);
}

void snapshots_digest(const SnapshotInfo *info, uint8_t *ret_digest) {
        if (info->n_layers == 0)
                digest_of(HOST, strlen(HOST), ret_digest);
        else
                digest_of(info->layers, info->n_layers * sizeof info->layers[0], ret_digest);
}

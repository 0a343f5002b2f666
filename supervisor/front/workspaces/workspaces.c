/*
 * workspaces: see workspaces.h.
 */
#include "supervisor/front/workspaces/workspaces.h"

#include <stdio.h>
#include <string.h>

#include "base/owned.h"
#include "base/units.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/store/layers.h"

#define COLUMNS \
        "id, name, owner, state, disk, bytes, taken, snapshot, layers, created, used, idle, ttl"
#define SELECT     "SELECT " COLUMNS ", rowid FROM workspaces "
#define HOLDER_MAX 32

int workspace_name_check(const char *name, Error *err) {
        if (!name_is_valid(name) || strlen(name) >= WORKSPACE_NAME_MAX)
                return error_say(err, -EINVAL,
                                 "a workspace's name is at most %d of a-z, 0-9, '.', '_' and '-', "
                                 "and begins with a letter or digit",
                                 WORKSPACE_NAME_MAX - 1);
        if (strncmp(name, "j-", 2) == 0)
                return error_say(err, -EINVAL,
                                 "a workspace's name does not begin with j-, as ids of jails do");
        return 0;
}

static void take_text(sqlite3_stmt *row, int column, char *to, size_t size) {
        const unsigned char *text = sqlite3_column_text(row, column);

        (void) snprintf(to, size, "%s", text ? (const char *) text : "");
}

static void take_row(sqlite3_stmt *row, Workspace *ret) {
        int n = sqlite3_column_bytes(row, 8);

        *ret = (Workspace){ .owner_uid = (uint32_t) sqlite3_column_int64(row, 2),
                            .state = (WorkspaceState) sqlite3_column_int(row, 3),
                            .disk = (uint64_t) sqlite3_column_int64(row, 4),
                            .bytes = (uint64_t) sqlite3_column_int64(row, 5),
                            .taken = (uint64_t) sqlite3_column_int64(row, 6),
                            .created_usec = (uint64_t) sqlite3_column_int64(row, 9),
                            .used_usec = (uint64_t) sqlite3_column_int64(row, 10),
                            .idle_usec = (uint64_t) sqlite3_column_int64(row, 11),
                            .ttl_usec = (uint64_t) sqlite3_column_int64(row, 12),
                            .row = sqlite3_column_int64(row, 13) };
        take_text(row, 0, ret->id, sizeof ret->id);
        take_text(row, 1, ret->name, sizeof ret->name);
        take_text(row, 7, ret->snapshot.name, sizeof ret->snapshot.name);
        if (n <= (int) sizeof ret->snapshot.layers && n > 0) {
                ret->snapshot.n_layers = (unsigned) n / 32;
                memcpy(ret->snapshot.layers, sqlite3_column_blob(row, 8), (size_t) n);
        }
}

static int take_one(sqlite3_stmt *row, Workspace *ret) {
        int r = row && sqlite3_step(row) == SQLITE_ROW ? 0 : -ENOENT;

        if (r == 0)
                take_row(row, ret);
        (void) sqlite3_finalize(row);
        return r;
}

int workspaces_find(Front *front, uint32_t uid, const char *name, Workspace *ret, Error *err) {
        sqlite3_stmt *row = ledger_query(front->ledger, err, SELECT "WHERE owner = ? AND name = ?",
                                         "it", (int64_t) uid, name);

        return take_one(row, ret) == 0
                       ? 0
                       : error_say(err, -ENOENT, "there is no workspace %.40s", name);
}

int workspaces_find_id(Front *front, const char *id, uint32_t uid, Workspace *ret, Error *err) {
        sqlite3_stmt *row = ledger_query(front->ledger, err, SELECT "WHERE id = ?", "t", id);
        Workspace found;

        if (take_one(row, &found) < 0 || (uid != 0 && found.owner_uid != uid))
                return error_say(err, -ENOENT, "there is no workspace %.40s", id);
        *ret = found;
        return 0;
}

cJSON *workspaces_asked(Front *front, const Workspace *workspace) {
        sqlite3_stmt *row =
                ledger_query(front->ledger, NULL, "SELECT asked FROM workspaces WHERE id = ?", "t",
                             workspace->id);
        cJSON *asked = NULL;

        if (row && sqlite3_step(row) == SQLITE_ROW)
                (void) json_parse((const char *) sqlite3_column_text(row, 0),
                                  (size_t) sqlite3_column_bytes(row, 0), 0, &asked, NULL);
        (void) sqlite3_finalize(row);
        return asked;
}

static int add_row(sqlite3_stmt *row, Workspace **all, size_t *n) {
        Workspace *more = reallocarray(*all, *n + 1, sizeof **all);

        if (!more)
                return -ENOMEM;
        *all = more;
        take_row(row, &more[(*n)++]);
        return 0;
}

/* Read whole first: who looks at one may write to the ledger, which an open question would bar */
int workspaces_each(Front *front, uint32_t uid, WorkspaceFn each, void *userdata, Error *err) {
        sqlite3_stmt *row = ledger_query(front->ledger, err,
                                         SELECT "WHERE owner = ?1 OR "
                                                "?1 = 0 ORDER BY rowid",
                                         "i", (int64_t) uid);
        autofree Workspace *all = NULL;
        size_t n = 0;
        int r = row ? 0 : -EIO;

        while (r == 0 && sqlite3_step(row) == SQLITE_ROW)
                r = add_row(row, &all, &n);
        (void) sqlite3_finalize(row);
        for (size_t i = 0; r == 0 && i < n; i++)
                each(&all[i], userdata);
        return r == -ENOMEM ? error_set(err, r, "read the workspaces") : r;
}

uint64_t workspaces_count(Front *front, uint32_t uid) {
        return (uint64_t) ledger_number(front->ledger, 0,
                                        "SELECT count(*) FROM workspaces WHERE owner = ?", "i",
                                        (int64_t) uid);
}

uint64_t workspaces_disk(Front *front, uint32_t uid) {
        return (uint64_t) ledger_number(
                front->ledger, 0, "SELECT ifnull(sum(bytes), 0) FROM workspaces WHERE owner = ?",
                "i", (int64_t) uid);
}

int workspaces_check_quota(Front *front, uint32_t uid, uint64_t bytes, bool is_new, Error *err) {
        uint64_t n = workspaces_count(front, uid), used = workspaces_disk(front, uid);
        int r;

        if (is_new && n >= WORKSPACES_PER_UID_MAX)
                return error_say(err, -EDQUOT, "you have %llu workspaces: remove one first",
                                 (unsigned long long) n);
        r = quota_check(front, uid, QUOTA_WORKSPACES, is_new ? n : n - 1, 1, err);
        return r < 0 ? r
                     : quota_check(front, uid, QUOTA_WORKSPACE_DISK, is_new ? used : used - bytes,
                                   bytes, err);
}

static int write_rows(Front *front, const Workspace *workspace, const char *asked, Error *err) {
        const SnapshotInfo *snapshot = &workspace->snapshot;
        char holder[HOLDER_MAX];
        int r = 0;

        (void) snprintf(holder, sizeof holder, "workspace:%s", workspace->id);
        for (unsigned i = 0; r >= 0 && i < snapshot->n_layers; i++)
                r = layer_hold(front, snapshot->layers[i], holder, err);
        return r < 0 ? r
                     : ledger_exec(front->ledger, err,
                                   "INSERT INTO workspaces (" COLUMNS
                                   ", asked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                   "ttiiiiitbiiiit", workspace->id, workspace->name,
                                   (int64_t) workspace->owner_uid, (int64_t) WORKSPACE_MAKING,
                                   (int64_t) workspace->disk, (int64_t) workspace->bytes,
                                   (int64_t) 0, snapshot->name, (const void *) snapshot->layers,
                                   (int) (snapshot->n_layers * 32),
                                   (int64_t) workspace->created_usec,
                                   (int64_t) workspace->used_usec, (int64_t) workspace->idle_usec,
                                   (int64_t) workspace->ttl_usec, asked);
}

int workspaces_add(Front *front, const Workspace *workspace, const cJSON *asked, Error *err) {
        autofree char *text = json_print(asked);
        int r;

        if (!text)
                return error_set(err, -ENOMEM, "write down a workspace");
        r = ledger_begin(front->ledger, true, err);
        return r < 0 ? r : ledger_end(front->ledger, write_rows(front, workspace, text, err), err);
}

int workspaces_set_state(Front *front, const char *id, WorkspaceState state, Error *err) {
        return ledger_exec_full(front->ledger, err, "UPDATE workspaces SET state = ? WHERE id = ?",
                                "it", (int64_t) state, id);
}

void workspaces_set_taken(Front *front, const char *id, uint64_t taken) {
        (void) ledger_exec(front->ledger, NULL, "UPDATE workspaces SET taken = ? WHERE id = ?",
                           "it", (int64_t) taken, id);
}

int workspaces_set_used(Front *front, const char *id, bool running, Error *err) {
        return ledger_exec(front->ledger, err,
                           "UPDATE workspaces SET used = ?, running = ? WHERE id = ?", "iit",
                           (int64_t) units_now(), (int64_t) running, id);
}

int workspaces_all_stopped(Front *front, Error *err) {
        return ledger_exec(front->ledger, err,
                           "UPDATE workspaces SET used = ?, running = 0 WHERE running", "i",
                           (int64_t) units_now());
}

static int delete_rows(Front *front, const Workspace *workspace, Error *err) {
        char holder[HOLDER_MAX];
        int r = ledger_exec(front->ledger, err, "DELETE FROM workspaces WHERE id = ?", "t",
                            workspace->id);

        (void) snprintf(holder, sizeof holder, "workspace:%s", workspace->id);
        for (unsigned i = 0; r >= 0 && i < workspace->snapshot.n_layers; i++)
                r = layer_let_go(front, workspace->snapshot.layers[i], holder, err);
        return r;
}

int workspaces_forget(Front *front, const Workspace *workspace, Error *err) {
        int r = ledger_begin(front->ledger, true, err);

        if (r >= 0)
                r = ledger_end(front->ledger, delete_rows(front, workspace, err), err);
        if (r >= 0)
                layers_sweep(front);
        return r;
}

uint64_t workspaces_next_end(Front *front) {
        return (uint64_t) ledger_number(front->ledger, -1,
                                        "SELECT min(used + ttl) FROM workspaces WHERE ttl > 0 AND "
                                        "NOT running AND state = 1",
                                        "");
}

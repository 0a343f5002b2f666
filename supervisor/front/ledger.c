/*
 * ledger: see ledger.h.
 *
 * The file is opened by a name relative to the state directory, which is the front's working directory:
 * the directories above it need not be reachable for the front's id. SQLite would look at each of them to
 * make an absolute name; a file system layer of ours, the usual one but for that step, leaves names as
 * they are. One process has the file, so the lock is taken once and held (no shared memory file), and
 * temporary tables live in memory.
 *
 * Statements that change something, and questions for one number, are kept prepared: compiling them took
 * several times as long as running them, and a step of a workflow needs a dozen. What was used longest ago
 * makes room. Rows that a caller reads by itself (ledger_query()) are its own statement.
 */
#include "supervisor/front/ledger.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "supervisor/front/gate/gate-schema.h"
#include "supervisor/front/jails/pool-ledger.h"

#define LEDGER_NAME   "ledger.db"
#define VFS_NAME      "warder"
#define SCHEMA_NUMBER 14
#define KEPT_MAX      48u /* statements; some kilobytes each */

typedef struct Kept {       /* a statement that waits to be used again */
        const char *sql;    /* whose text this was: where it stands now need not be the same */
        sqlite3_stmt *stmt; /* owned; holds a copy of the text */
        uint64_t used;      /* when, in uses of any */
} Kept;

struct Ledger {
        sqlite3 *db;     /* owned */
        sqlite3_vfs vfs; /* registered while we live */
        bool in_full;    /* between ledger_begin() and ledger_end() */
        Kept kept[KEPT_MAX];
        uint64_t uses;
};

static int keep_name(sqlite3_vfs *vfs, const char *name, int n, char *ret) {
        (void) vfs;
        return snprintf(ret, (size_t) n, "%s", name) < n ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* Without locks it is the same but for them. */
static int register_vfs(Ledger *ledger, bool stale_lock, Error *err) {
        const char *layer = stale_lock ? "unix-none" : "unix";
        const sqlite3_vfs *usual = sqlite3_vfs_find(layer);

        if (!usual)
                return error_say(err, -ENOTSUP, "this SQLite has no file system layer \"%s\"",
                                 layer);
        ledger->vfs = *usual;
        ledger->vfs.zName = VFS_NAME;
        ledger->vfs.pNext = NULL;
        ledger->vfs.xFullPathname = keep_name;
        if (sqlite3_vfs_register(&ledger->vfs, 0) != SQLITE_OK)
                return error_set(err, -ENOMEM, "register the ledger's file system layer");
        return 0;
}

static const char *const pragmas[] = {
        "PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = NORMAL",     "PRAGMA temp_store = MEMORY",
        "PRAGMA foreign_keys = ON",        "PRAGMA trusted_schema = OFF",
};

/* By schema number: what brings a file of the number before to this one. */
static const char *const migrations[SCHEMA_NUMBER] = {
        /* layers: digests of 32 bytes, topmost first. holds: who needs a layer of the
         * store; loose: what nobody needs and is to be removed */
        "CREATE TABLE snapshots (name TEXT NOT NULL, owner INTEGER NOT NULL, layers BLOB NOT NULL,"
        " bytes INTEGER NOT NULL, entries INTEGER NOT NULL, created INTEGER NOT NULL,"
        " PRIMARY KEY (owner, name)) STRICT;"
        "CREATE TABLE holds (digest BLOB NOT NULL, holder TEXT NOT NULL,"
        " PRIMARY KEY (digest, holder)) STRICT;"
        "CREATE TABLE loose (digest BLOB NOT NULL PRIMARY KEY) STRICT;",
        GATE_SCHEMA,
        /* how a snapshot is run that was a container image: an object, or '' */
        "ALTER TABLE snapshots ADD COLUMN config TEXT NOT NULL DEFAULT '';",
        /* whose a setup layer is, and its bytes on disk; those of before are made again */
        "DELETE FROM gate_setups;"
        "ALTER TABLE gate_setups ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE gate_setups ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;",
        RECEIPT_SCHEMA,
        REPLAY_SCHEMA,
        STEPS_SCHEMA,
        PEOPLE_SCHEMA,
        COUNTERS_SCHEMA,
        /* what the caller said that the base is: an object, or NULL */
        "ALTER TABLE tasks ADD COLUMN origin TEXT;",
        /* tasks are listed newest first, a page at a time */
        "CREATE INDEX tasks_created ON tasks (created, id);",
        POOLS_SCHEMA,
        LAYERS_SCHEMA,
        /* workspaces.h; asked: what it was made with, an object; running: by a front that may be gone */
        "CREATE TABLE workspaces (id TEXT NOT NULL PRIMARY KEY, owner INTEGER NOT NULL,"
        " name TEXT NOT NULL, state INTEGER NOT NULL, disk INTEGER NOT NULL UNIQUE,"
        " bytes INTEGER NOT NULL, taken INTEGER NOT NULL, snapshot TEXT NOT NULL,"
        " layers BLOB NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL,"
        " idle INTEGER NOT NULL, ttl INTEGER NOT NULL, asked TEXT NOT NULL,"
        " running INTEGER NOT NULL DEFAULT 0, UNIQUE (owner, name)) STRICT;",
};

/* Of this process alone. asked: what is loose and was asked of the monitor (store/layers.h); waits: it was refused */
static const char own_tables[] = "CREATE TEMP TABLE asked (digest BLOB NOT NULL PRIMARY KEY,"
                                 " waits INTEGER NOT NULL DEFAULT 0) STRICT";

static int db_error(const Ledger *ledger, Error *err, const char *what) {
        return error_say(err, -EIO, "ledger: %s: %s", what, sqlite3_errmsg(ledger->db));
}

static int run_text(Ledger *ledger, const char *sql, Error *err) {
        if (sqlite3_exec(ledger->db, sql, NULL, NULL, NULL) != SQLITE_OK)
                return db_error(ledger, err, sql);
        return 0;
}

static int read_number(Ledger *ledger, int *ret, Error *err) {
        sqlite3_stmt *stmt = ledger_query(ledger, err, "PRAGMA user_version", "");

        if (!stmt)
                return -EIO;
        *ret = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
        sqlite3_finalize(stmt);
        return 0;
}

/* All of a step or nothing: what fails is taken back when the file is closed. */
static int step_up(Ledger *ledger, int number, Error *err) {
        char text[64];

        (void) snprintf(text, sizeof text, "PRAGMA user_version = %d; COMMIT", number + 1);
        if (sqlite3_exec(ledger->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
            sqlite3_exec(ledger->db, migrations[number], NULL, NULL, NULL) == SQLITE_OK &&
            sqlite3_exec(ledger->db, text, NULL, NULL, NULL) == SQLITE_OK)
                return 0;
        return error_say(err, -EIO,
                         "ledger: it cannot be brought from form %d to form %d: %s; it stays as it "
                         "was, and the warder that wrote it can go on with it",
                         number, number + 1, sqlite3_errmsg(ledger->db));
}

static int migrate(Ledger *ledger, Error *err) {
        int number, r;

        r = read_number(ledger, &number, err);
        if (r < 0)
                return r;
        if (number > SCHEMA_NUMBER)
                return error_say(err, -ENOTSUP,
                                 "the ledger was written by a newer warder (form %d, this one "
                                 "knows %d): install that one, or choose another state directory",
                                 number, SCHEMA_NUMBER);
        for (; number < SCHEMA_NUMBER; number++) {
                r = step_up(ledger, number, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int open_db(Ledger *ledger, int state_fd, bool stale_lock, Error *err) {
        int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_EXRESCODE;
        int r;

        if (fchdir(state_fd) < 0)
                return error_set(err, -errno, "go to the state directory");
        r = register_vfs(ledger, stale_lock, err);
        if (r < 0)
                return r;
        if (sqlite3_open_v2(LEDGER_NAME, &ledger->db, flags, VFS_NAME) != SQLITE_OK)
                return db_error(ledger, err, "open " LEDGER_NAME);
        for (unsigned i = 0; i < ELEMENTS(pragmas); i++) {
                r = run_text(ledger, pragmas[i], err);
                if (r < 0)
                        return r;
        }
        r = migrate(ledger, err);
        return r < 0 ? r : run_text(ledger, own_tables, err);
}

int ledger_new(int state_fd, bool stale_lock, Ledger **ret, Error *err) {
        Ledger *ledger = calloc(1, sizeof(Ledger));
        int r;

        if (!ledger)
                return error_set(err, -ENOMEM, "open the ledger");
        r = open_db(ledger, state_fd, stale_lock, err);
        if (r < 0) {
                ledger_free(ledger);
                return r;
        }
        *ret = ledger;
        return 0;
}

Ledger *ledger_free(Ledger *ledger) {
        if (!ledger)
                return NULL;
        for (unsigned i = 0; i < KEPT_MAX; i++)
                (void) sqlite3_finalize(ledger->kept[i].stmt);
        (void) sqlite3_close_v2(ledger->db);
        if (ledger->vfs.zName)
                (void) sqlite3_vfs_unregister(&ledger->vfs);
        free(ledger);
        return NULL;
}

sqlite3 *ledger_db(Ledger *ledger) {
        return ledger->db;
}

static int bind_one(sqlite3_stmt *stmt, int at, char type, va_list *args) {
        const void *blob;

        switch (type) {
        case 't':
                return sqlite3_bind_text(stmt, at, va_arg(*args, const char *), -1,
                                         SQLITE_TRANSIENT);
        case 'i':
                return sqlite3_bind_int64(stmt, at, va_arg(*args, int64_t));
        case 'b':
                blob = va_arg(*args, const void *);
                return sqlite3_bind_blob(stmt, at, blob, va_arg(*args, int), SQLITE_TRANSIENT);
        default:
                return SQLITE_MISUSE;
        }
}

static int bind_all(sqlite3_stmt *stmt, const char *types, va_list *args) {
        int r = SQLITE_OK;

        for (int i = 0; types[i] && r == SQLITE_OK; i++)
                r = bind_one(stmt, i + 1, types[i], args);
        return r;
}

sqlite3_stmt *ledger_query(Ledger *ledger, Error *err, const char *sql, const char *types, ...) {
        sqlite3_stmt *stmt = NULL;
        va_list args;
        int r;

        va_start(args, types);
        r = sqlite3_prepare_v2(ledger->db, sql, -1, &stmt, NULL);
        if (r == SQLITE_OK)
                r = bind_all(stmt, types, &args);
        va_end(args);
        if (r == SQLITE_OK)
                return stmt;
        (void) db_error(ledger, err, sql);
        (void) sqlite3_finalize(stmt);
        return NULL;
}

/* ---- statements that are kept -------------------------------------------------------------------- */

/* The place of @sql, or the one that was used longest ago */
static Kept *find_kept(Ledger *ledger, const char *sql) {
        Kept *oldest = &ledger->kept[0];

        for (unsigned i = 0; i < KEPT_MAX; i++) {
                Kept *kept = &ledger->kept[i];

                if (kept->sql == sql && strcmp(sqlite3_sql(kept->stmt), sql) == 0)
                        return kept;
                if (kept->used < oldest->used)
                        oldest = kept;
        }
        return oldest;
}

/* Returns: borrowed and bound, to be given back by release(); NULL with @err */
static sqlite3_stmt *acquire(Ledger *ledger, Error *err, const char *sql, const char *types,
                             va_list *args) {
        Kept *kept = find_kept(ledger, sql);
        int r = SQLITE_OK;

        if (kept->sql != sql || strcmp(sqlite3_sql(kept->stmt), sql) != 0) {
                (void) sqlite3_finalize(kept->stmt);
                *kept = (Kept){ 0 };
                r = sqlite3_prepare_v3(ledger->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &kept->stmt,
                                       NULL);
                kept->sql = r == SQLITE_OK ? sql : NULL;
        }
        if (r == SQLITE_OK)
                r = bind_all(kept->stmt, types, args);
        kept->used = ++ledger->uses;
        if (r == SQLITE_OK)
                return kept->stmt;
        (void) db_error(ledger, err, sql);
        return NULL;
}

static void release(sqlite3_stmt *stmt) {
        (void) sqlite3_reset(stmt);
        (void) sqlite3_clear_bindings(stmt);
}

static int execute(Ledger *ledger, Error *err, const char *sql, const char *types, va_list *args) {
        sqlite3_stmt *stmt = acquire(ledger, err, sql, types, args);
        int done = SQLITE_ROW, r = 0;

        if (!stmt)
                return -EIO;
        while (done == SQLITE_ROW)
                done = sqlite3_step(stmt);
        if (done == SQLITE_CONSTRAINT_PRIMARYKEY || done == SQLITE_CONSTRAINT_UNIQUE)
                r = error_say(err, -EEXIST, "ledger: it is there already");
        else if (done != SQLITE_DONE)
                r = db_error(ledger, err, sql);
        release(stmt);
        return r;
}

int ledger_exec(Ledger *ledger, Error *err, const char *sql, const char *types, ...) {
        va_list args;
        int r;

        va_start(args, types);
        r = execute(ledger, err, sql, types, &args);
        va_end(args);
        return r;
}

int ledger_exec_full(Ledger *ledger, Error *err, const char *sql, const char *types, ...) {
        va_list args;
        int r;

        r = run_text(ledger, "PRAGMA synchronous = FULL", err);
        if (r < 0)
                return r;
        va_start(args, types);
        r = execute(ledger, err, sql, types, &args);
        va_end(args);
        (void) run_text(ledger, "PRAGMA synchronous = NORMAL", NULL);
        return r;
}

/* How much is flushed can only be said outside of a transaction */
static void end_full(Ledger *ledger) {
        if (ledger->in_full)
                (void) run_text(ledger, "PRAGMA synchronous = NORMAL", NULL);
        ledger->in_full = false;
}

int ledger_begin(Ledger *ledger, bool full, Error *err) {
        int r = full ? run_text(ledger, "PRAGMA synchronous = FULL", err) : 0;

        ledger->in_full = full;
        if (r >= 0)
                r = ledger_exec(ledger, err, "BEGIN IMMEDIATE", "");
        if (r < 0)
                end_full(ledger);
        return r;
}

int ledger_end(Ledger *ledger, int r, Error *err) {
        if (r >= 0)
                r = ledger_exec(ledger, err, "COMMIT", "");
        if (r < 0)
                (void) run_text(ledger, "ROLLBACK", NULL);
        end_full(ledger);
        return r;
}

int64_t ledger_number(Ledger *ledger, int64_t otherwise, const char *sql, const char *types, ...) {
        sqlite3_stmt *stmt;
        va_list args;

        va_start(args, types);
        stmt = acquire(ledger, NULL, sql, types, &args);
        va_end(args);
        if (!stmt)
                return otherwise;
        if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
                otherwise = sqlite3_column_int64(stmt, 0);
        release(stmt);
        return otherwise;
}

#pragma once
/*
 * ledger: the front's SQLite file in its state directory. Owner of the schema; everything in prepared
 * statements. WAL, synchronous NORMAL; ledger_exec_full() for what must survive power loss.
 */
#include <sqlite3.h>

#include "supervisor/front/front.h"

/**
 * ledger_new() - open or make it; the state directory becomes the working directory
 * @stale_lock: the lock that may be on it is that of a front that no longer runs: see FrontInfo
 *
 * Returns: 0 or negative errno.
 */
int ledger_new(int state_fd, bool stale_lock, Ledger **ret, Error *err);
/** ledger_free() - Returns: NULL */
Ledger *ledger_free(Ledger *ledger);
/** ledger_db() - for the modules of the front; borrowed */
sqlite3 *ledger_db(Ledger *ledger);

/**
 * ledger_exec() - prepare, bind, step to the end
 * @types: one char a parameter: 't' const char *, 'i' int64_t (cast it), 'b' const void * and int
 *
 * Returns: 0, -EEXIST where a row with this key is there, else negative errno.
 */
int ledger_exec(Ledger *ledger, Error *err, const char *sql, const char *types, ...);
/** ledger_exec_full() - the same, and on disk when it returns */
int ledger_exec_full(Ledger *ledger, Error *err, const char *sql, const char *types, ...);
/** ledger_query() - prepared and bound, the caller steps and finalizes; NULL with @err */
sqlite3_stmt *ledger_query(Ledger *ledger, Error *err, const char *sql, const char *types, ...);

/** ledger_begin() - what follows is committed together; @full: it is on disk when ledger_end() returns */
int ledger_begin(Ledger *ledger, bool full, Error *err);
/** ledger_end() - @r: of what was done since; negative: all of it is taken back. Returns: @r, or negative errno */
int ledger_end(Ledger *ledger, int r, Error *err);
/** ledger_number() - the first column of the first row; @otherwise where there is none. Arguments as ledger_exec() */
int64_t ledger_number(Ledger *ledger, int64_t otherwise, const char *sql, const char *types, ...);

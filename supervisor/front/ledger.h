#pragma once
/*
 * ledger: the front's SQLite file in its state directory. Owner of the schema; everything in prepared
 * statements. WAL, synchronous NORMAL; ledger_commit_full() for what must survive power loss.
 */
#include <sqlite3.h>

#include "supervisor/front/front.h"

int ledger_new(int state_fd, Ledger **ret, Error *err);
Ledger *ledger_free(Ledger *ledger);
/** ledger_db() - for the modules of the front; borrowed */
sqlite3 *ledger_db(Ledger *ledger);
/** ledger_exec() - prepare, bind, step once or to the end: format one char a parameter: t text, i int64, b blob+int, then values */
int ledger_exec(Ledger *ledger, Error *err, const char *sql, const char *types, ...);
/** ledger_query() - prepared and bound, the caller steps and finalizes; NULL with @err */
sqlite3_stmt *ledger_query(Ledger *ledger, Error *err, const char *sql, const char *types, ...);

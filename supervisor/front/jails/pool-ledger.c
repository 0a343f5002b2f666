/* pool-ledger: see pool-ledger.h. */
#include "supervisor/front/jails/pool-ledger.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/front/ledger.h"

/* Returns: is it one that a front wrote */
static bool take_row(sqlite3_stmt *stmt, PoolKey *key, unsigned *ret_size) {
        const char *snapshot = (const char *) sqlite3_column_text(stmt, 1);
        const char *policy = (const char *) sqlite3_column_text(stmt, 2);
        int64_t size = sqlite3_column_int64(stmt, 3);

        if (!snapshot || !policy || size < 1 || size > POOL_SIZE_MAX ||
            strlen(snapshot) >= sizeof key->snapshot || strlen(policy) >= sizeof key->policy)
                return false;
        key->uid = (uint32_t) sqlite3_column_int64(stmt, 0);
        (void) snprintf(key->snapshot, sizeof key->snapshot, "%s", snapshot);
        (void) snprintf(key->policy, sizeof key->policy, "%s", policy);
        *ret_size = (unsigned) size;
        return true;
}

int pool_ledger_each(Front *front, PoolRowFn each, void *userdata, Error *err) {
        sqlite3_stmt *stmt = ledger_query(
                front->ledger, err, "SELECT owner, snapshot, policy, size FROM pools LIMIT ?1", "i",
                (int64_t) POOLS_MAX);
        PoolKey key;
        unsigned size;
        int r = 0;

        if (!stmt)
                return -EIO;
        while (r >= 0 && sqlite3_step(stmt) == SQLITE_ROW)
                if (take_row(stmt, &key, &size))
                        r = each(&key, size, userdata, err);
        sqlite3_finalize(stmt);
        return r;
}

int pool_ledger_set(Front *front, const PoolKey *key, unsigned size, Error *err) {
        if (size == 0)
                return ledger_exec_full(
                        front->ledger, err,
                        "DELETE FROM pools WHERE owner = ?1 AND snapshot = ?2 AND policy = ?3",
                        "itt", (int64_t) key->uid, key->snapshot, key->policy);
        return ledger_exec_full(front->ledger, err,
                                "INSERT OR REPLACE INTO pools (owner, snapshot, policy, size) "
                                "VALUES (?1, ?2, ?3, ?4)",
                                "itti", (int64_t) key->uid, key->snapshot, key->policy,
                                (int64_t) size);
}

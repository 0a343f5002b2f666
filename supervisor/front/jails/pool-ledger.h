#pragma once
/*
 * pool-ledger: the settings of pools on disk.
 */
#include "supervisor/front/jails/pool-want.h"

#define POOL_SIZE_MAX 256
#define POOLS_MAX     512

/** POOLS_SCHEMA - the migration of the ledger that makes its table */
#define POOLS_SCHEMA                                                                       \
        "CREATE TABLE pools (owner INTEGER NOT NULL, snapshot TEXT NOT NULL, policy TEXT " \
        "NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (owner, snapshot, policy)) STRICT, " \
        "WITHOUT ROWID;"

/** PoolRowFn - one setting. Returns: 0, or negative errno, which ends the reading */
typedef int (*PoolRowFn)(const PoolKey *key, unsigned size, void *userdata, Error *err);
/** pool_ledger_each() - all of them; a row that no front wrote is left out. Returns: 0 or negative errno */
int pool_ledger_each(Front *front, PoolRowFn each, void *userdata, Error *err);
/** pool_ledger_set() - on disk when it returns; @size 0: the row goes. Returns: 0 or negative errno */
int pool_ledger_set(Front *front, const PoolKey *key, unsigned size, Error *err);

#pragma once
/*
 * jail-rows: creates and commands one after the other, through the socket and through the command, beside peers.
 */
#include "tests/bench/server.h"

/* of the parameters of an exec */
#define EXEC_TRUE "\"argv\":[\"" BUSYBOX "\",\"true\"],\"stdio\":[\"null\",\"null\",\"null\"]"

/** jail_rows_prepare() - snapshots, live jails and pools of all servers. Returns: 0 or negative errno */
int jail_rows_prepare(Bench *bench, Error *err);
/** jail_rows_run() - prints their table */
void jail_rows_run(Bench *bench, unsigned rounds);

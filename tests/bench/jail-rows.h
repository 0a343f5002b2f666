#pragma once
/*
 * jail-rows: rows of creates and commands, through the socket and through the command.
 */
#include "tests/bench/server.h"

/* of the parameters of an exec */
#define EXEC_TRUE "\"argv\":[\"" BUSYBOX "\",\"true\"],\"stdio\":[\"null\",\"null\",\"null\"]"
#define POOL_SIZE 8

/** jail_rows_prepare() - snapshots, live jails and pools of all servers. Returns: 0 or negative errno */
int jail_rows_prepare(Bench *bench, Error *err);

/** jail_cold_host(), … - create + true + destroy: the answer is the record of the command's end */
int jail_cold_host(Bench *bench, Error *err);
/** jail_cold_imported() - of an imported root of 2 MB */
int jail_cold_imported(Bench *bench, Error *err);
/** jail_cold_middle() - of one of 475 MB */
int jail_cold_middle(Bench *bench, Error *err);
/** jail_cold_large() - of one of 2 GB */
int jail_cold_large(Bench *bench, Error *err);
/** jail_without_host() - no shell is there */
int jail_without_host(Bench *bench, Error *err);
/** jail_without_imported() - likewise */
int jail_without_imported(Bench *bench, Error *err);
/** jail_pool_fill() - off the clock: the pools are full. Returns: 0, or negative errno with why they are not */
int jail_pool_fill(Bench *bench, Error *err);
/** jail_pooled_host() - out of a pool */
int jail_pooled_host(Bench *bench, Error *err);
/** jail_pooled_imported() - likewise */
int jail_pooled_imported(Bench *bench, Error *err);
/** jail_command() - `warder run`, from a shell */
int jail_command(Bench *bench, Error *err);
/** jail_command_pooled() - `warder run`, out of a pool */
int jail_command_pooled(Bench *bench, Error *err);
/** jail_version() - `warder --version`: what the command's own start costs */
int jail_version(Bench *bench, Error *err);
/** jail_exec() - in a live jail */
int jail_exec(Bench *bench, Error *err);

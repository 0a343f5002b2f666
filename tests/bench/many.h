#pragma once
/*
 * many: what idle jails take of memory, and what one more costs where there are a thousand.
 */
#include "tests/bench/server.h"

/** many_run() - prints the tables */
void many_run(Bench *bench);

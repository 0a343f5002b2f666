#pragma once
/*
 * many: a thousand jails: what one more costs in time and memory, and what all together do.
 */
#include "tests/bench/server.h"

/** many_run() - prints the table; @most jails at most */
void many_run(Bench *bench, unsigned most);

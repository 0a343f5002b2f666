#pragma once
/*
 * load: several clients at a time, each a process of its own that does one kind of work again and again: how many a
 * second, how long one takes, and how many jails found a shell ready.
 */
#include "tests/bench/server.h"

/** load_run() - jails with 2 and 8 clients, commands with 1 and 8, by turns; prints their tables */
void load_run(Bench *bench);

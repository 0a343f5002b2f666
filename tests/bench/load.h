#pragma once
/*
 * load: several clients at a time, each a process of its own that does one kind of work again and again: how many a
 * second, and how long one takes.
 */
#include "tests/bench/server.h"

/** load_run() - all kinds with 2 and 8 clients, by turns; prints their table */
void load_run(Bench *bench);

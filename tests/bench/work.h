#pragma once
/*
 * work: a build with its tests, and loops of system calls, outside and inside.
 */
#include "tests/bench/server.h"

/** work_run() - prints the table */
void work_run(Bench *bench);

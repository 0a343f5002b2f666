#pragma once
/*
 * hops: what the kernel itself takes for a command in a live jail: the way of jail.exec with nothing done on it. A
 * request goes from the client to one process, from there to a second, from there to a child that waits already and only
 * executes; its end comes back the same way. No JSON, no limits, no jail, no record.
 */
#include "tests/bench/server.h"

/** hops_prepare() - start the two processes. Returns: 0 or negative errno */
int hops_prepare(Error *err);
/** hops_stop() - end them */
void hops_stop(void);
/** hops_run() - one command there and back. Returns: 0 or negative errno */
int hops_run(Bench *bench, Error *err);

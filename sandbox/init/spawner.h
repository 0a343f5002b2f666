#pragma once
/*
 * spawner: the process that clones parked children.
 */
#include "sandbox/init/park.h"

/** caps_keep() - drop every capability but @mask (of the first 32) from all five sets */
int caps_keep(uint32_t mask);

/** spawner_run() - the spawner: clone parked children until init is gone */
_Noreturn void spawner_run(int sock);

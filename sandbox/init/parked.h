#pragma once
/*
 * parked: a child that waits for its command.
 */
#include "sandbox/init/park.h"

/** parked_run() - the life of a parked child up to execve(2) */
_Noreturn void parked_run(int sock);

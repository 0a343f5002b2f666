#pragma once
/*
 * parked: a child that waits for its command.
 */
#include "sandbox/init/park.h"

/**
 * parked_run() - the life of a parked child up to execve(2)
 * @limits: cgroup.procs of @n_limits groups that it enters first
 */
_Noreturn void parked_run(int sock, const int *limits, unsigned n_limits);

#pragma once
/*
 * parked: a child that waits for its command.
 */
#include "sandbox/init/park.h"

/**
 * parked_run() - the life of a parked child up to execve(2)
 * @front: init's socket to the front, for one message
 * @limits: cgroup.procs of @n_limits groups that it enters first
 */
_Noreturn void parked_run(int sock, int front, const int *limits, unsigned n_limits);

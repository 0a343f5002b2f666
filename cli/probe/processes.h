#pragma once
/*
 * processes: attacks on process 1, on processes of the host and of other jails, and on the own rights.
 */
#include "cli/probe/probe.h"

extern const Probe process_probes[]; /* ended by a NULL name */

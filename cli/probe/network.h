#pragma once
/*
 * network: attacks by way of networks and other channels between processes, and by foreign ABIs.
 */
#include "cli/probe/probe.h"

extern const Probe network_probes[]; /* ended by a NULL name */

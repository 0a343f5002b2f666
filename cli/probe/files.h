#pragma once
/*
 * files: attacks by way of names: /proc, /sys, /dev, the host's root, mounts, links, attributes.
 */
#include "cli/probe/probe.h"

extern const Probe file_probes[]; /* ended by a NULL name */

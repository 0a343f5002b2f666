#pragma once
/*
 * calls: attacks that are one system call each: namespaces, mounts, and parts of the kernel that a command
 * has no business with.
 */
#include "cli/probe/probe.h"

extern const Probe call_probes[]; /* ended by a NULL name */

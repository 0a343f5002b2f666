#pragma once
/*
 * filter: the agent's own seccomp filter, made at build time and linked in: the agent runs as a plain
 * command in its jail and loads it above the jail's.
 */
#include "base/error.h"

/** filter_agent_fd() - the filter as a sealed memfd for lock_down(). Returns: fd owned by the caller, negative errno */
int filter_agent_fd(Error *err);

#pragma once
/*
 * net-settings: what a jail's network namespace gets other than the kernel's defaults.
 */
#include "base/error.h"

/**
 * net_settings() - write them, from within the new namespace
 * @proc: the host's /proc, borrowed: what is below sys/net there is the caller's namespace
 *
 * Returns: 0 or negative errno.
 */
int net_settings(int proc, Error *err);

#pragma once
/*
 * open: files of the jail, opened for the front as a command of it would.
 */
#include "sandbox/init/init.h"

/** open_request() - INIT_OPEN. Returns: descriptor owned by the caller and its size, or negative errno */
int open_request(const InitOpen *request, const char *path, uint64_t *ret_size);

#pragma once
/*
 * put: what a command wrote, as it is, to our own stdout.
 */
#include <stddef.h>

/**
 * put_bytes() - all of them, however slowly they are read
 *
 * Another program may have left the terminal non-blocking for all who have it open; then it is waited for.
 *
 * Returns: 0 or negative errno.
 */
int put_bytes(const char *bytes, size_t n);

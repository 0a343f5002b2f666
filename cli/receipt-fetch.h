#pragma once
/*
 * receipt-fetch: a receipt from the supervisor.
 */
#include "cli/link.h"

/**
 * receipt_fetch() - of a task or a verify
 * @ret_fd:   the lines, owned by the caller
 * @ret_info: what the answer says beside them, owned by the caller; may be NULL
 *
 * Returns: 0 or negative errno (-EREMOTEIO: refused, with the supervisor's sentence).
 */
int receipt_fetch(Link *link, const char *id, int *ret_fd, cJSON **ret_info, Error *err);

/** receipt_fetch_beside() - for --out: a verdict is not lost for want of its receipt, so that is only said */
void receipt_fetch_beside(Link *link, const char *id, int *ret_fd);

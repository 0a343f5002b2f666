#pragma once
/*
 * jail-work: the directory that a jail shows at /work, brought again for a question about that jail.
 */
#include "cli/link.h"

/**
 * jail_work_bring() - where the jail shows a directory of the caller's
 * @path:   the caller's word where that is; NULL: the current one
 * @params: gets "work"
 * @ret_fd: owned by the caller; -EBADF: none is needed
 *
 * Asks what the jail shows first. Returns: 0, LINK_E_REFUSED, negative errno.
 */
int jail_work_bring(Link *link, const char *jail, const char *path, cJSON *params, int *ret_fd,
                    Error *err);

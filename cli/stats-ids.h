#pragma once
/*
 * stats-ids: of several jails that are named their ids. Records of jail.stats have ids; people say names, too.
 */
#include "base/ids.h"
#include "cli/link.h"

/**
 * stats_ids_find() - the ids of jails that have figures
 * @words:   ids, or names of workspaces
 * @n:       how many; 0: nothing is asked
 * @ret_ids: room for as many; a part is written on failure
 *
 * One that is not there, or does not run, is refused as it is where it is named alone.
 *
 * Returns: 0, LINK_E_REFUSED, LINK_E_STOPPED, or negative errno.
 */
int stats_ids_find(Link *link, char *const *words, size_t n, char (*ret_ids)[ID_MAX], Error *err);

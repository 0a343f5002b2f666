#pragma once
/*
 * layers: from what a plan names to open directories, with the id map each gets.
 */
#include "supervisor/monitor/jails.h"

/**
 * layers_open() - open every layer of @entry's plan into @entry->layers
 * @fds: of the request, borrowed
 *
 * Returns: 0 or negative errno; what was opened is then in @entry and closed with it.
 */
int layers_open(Entry *entry, const int *fds, Error *err);

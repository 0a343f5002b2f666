#pragma once
/*
 * jail-copy: the method jail.copy, files into a jail and out of it.
 */
#include "supervisor/front/calls.h"

/**
 * jail_copy_start() - a command of the jail that executes nothing; the call is answered with its record
 * @exec: consumed: its words and stdio
 *
 * Returns: 0 or negative errno.
 */
int jail_copy_start(Front *front, Call *call, FrontJail *jail, cJSON *exec, Error *err);

/** jail_copy_row - its row of the method table */
extern const MethodRow jail_copy_row;

#pragma once
/*
 * jail-fork: the method jail.fork: more jails like one, from its files as they are.
 */
#include "supervisor/front/calls.h"

/** jail_fork_row - its row of the method table */
extern const MethodRow jail_fork_row;

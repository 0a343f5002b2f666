#pragma once
/*
 * jail-connect: the method jail.connect, a connection to a server in a jail.
 */
#include "supervisor/front/calls.h"

/** jail_connect_row - its row of the method table */
extern const MethodRow jail_connect_row;

#pragma once
/*
 * jail-copy: the method jail.copy, files into a jail and out of it.
 */
#include "supervisor/front/calls.h"

/** jail_copy_row - its row of the method table */
extern const MethodRow jail_copy_row;

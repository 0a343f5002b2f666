#pragma once
/*
 * jail-diff: the method jail.diff: what a jail changed, as paths or as a patch.
 */
#include "supervisor/front/calls.h"

/** jail_diff_row - its row of the method table */
extern const MethodRow jail_diff_row;

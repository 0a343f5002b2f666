#pragma once
/*
 * jail-save: the method jail.save: what a jail changed in its root becomes a layer, and a snapshot of its own stands on it.
 */
#include "supervisor/front/calls.h"

/** jail_save_row - its row of the method table */
extern const MethodRow jail_save_row;

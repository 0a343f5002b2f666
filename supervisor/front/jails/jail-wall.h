#pragma once
/*
 * jail-wall: the wall clock of a jail, which ends it; it may stand still.
 */
#include "supervisor/front/jails/jails.h"

/** jail_wall_start() - where its limits have one, from now on. Returns: 0 or negative errno */
int jail_wall_start(FrontJail *jail, Error *err);
/** jail_wall_hold() - it stands still (@hold), or runs on with what was left */
void jail_wall_hold(FrontJail *jail, bool hold);

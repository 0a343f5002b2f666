#pragma once
/*
 * jail-quiet: a jail's commands stand still while what it wrote is read, so that it is read as it was at one moment. They
 * are not copied, and no program is asked to bring what it holds in memory to its files first.
 */
#include "supervisor/front/front.h"

/** jail_quiet_begin() - by its name; each is ended once. Returns: 0, -ESRCH: it has ended, negative errno */
int jail_quiet_begin(Front *front, const char *id, Error *err);
/** jail_quiet_end() - its commands run again, unless somebody else wants them still; a jail that has ended is fine */
void jail_quiet_end(Front *front, const char *id);

#pragma once
/*
 * shells: the pool of jails that are ready but for their plan. Refilled in batches, off the path.
 */
#include "supervisor/monitor/monitor.h"

#define REFILL_USEC 5000 /* after a create: its command is under way by then */
#define REFILL_LATE_USEC \
        30000 /* where more than one is left: more creates, as those of a verify, may be about to come */

/** shells_refill() - fill the pool up after a while; nothing if that is coming already, and not later */
void shells_refill(Monitor *monitor, uint64_t delay_usec);

/** shells_take() - a shell fit for @plan, ready if there is one, and a handle for the jail it becomes */
int shells_take(Monitor *monitor, const Plan *plan, Entry **ret, Error *err);

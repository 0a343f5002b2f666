#pragma once
/*
 * jail-sample: what a jail uses now, as one record. A sample is at most eight preads of files that are open,
 * and four files of the commands' group that are opened for it; and where the disk was last asked for more than
 * a second ago one message to the jail's init and its answer, which comes later. No process is listed.
 */
#include "supervisor/front/jails/jails.h"

#define JAIL_MEASURE_USEC 1000000u /* the disk is asked for again after so long */

/** JailMeasuredFn - once; what init said is in the jail's book. @jail NULL: it has ended */
typedef void (*JailMeasuredFn)(FrontJail *jail, void *userdata);

/**
 * jail_measure() - ask the jail's init what is on its disk
 * @done: NULL: nobody waits, and nothing is asked where an answer is due or younger than JAIL_MEASURE_USEC
 *
 * Returns: 0 and @done will be called; or negative errno (-EBUSY: an answer is due already): it will not.
 */
int jail_measure(FrontJail *jail, JailMeasuredFn done, void *userdata, Error *err);

/** jail_sample() - the record, as the result of jail.stats describes it; NULL: no memory */
cJSON *jail_sample(const FrontJail *jail);

#pragma once
/*
 * priv-order: what a jail's builder is told: the plan, and every layer as a detached mount in the jail's ids.
 */
#include "sandbox/sandbox.h"

/**
 * order_send() - clone and map the layers, make the groups that only this plan has, hand all to the builder
 * @layers, @filter_fd: as jail_build()
 *
 * Returns: 0 or negative errno; what was made is closed here, in both cases.
 */
int order_send(Jail *jail, const Plan *plan, const JailLayer *layers, int filter_fd, Error *err);

#pragma once
/*
 * jail-log-methods: jail.events.
 */
#include "supervisor/front/calls.h"

/** jail_log_methods - ended by a NULL name */
extern const MethodRow jail_log_methods[];

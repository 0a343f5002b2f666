#pragma once
/*
 * still-methods: jail.freeze and jail.thaw.
 */
#include "supervisor/front/calls.h"

/** still_methods - ended by a NULL name */
extern const MethodRow still_methods[];

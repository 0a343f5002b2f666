#pragma once
/*
 * pool-methods: the methods pool.set and pool.show.
 */
#include "supervisor/front/calls.h"

/** pool_methods - rows of the method table, ended by a NULL name */
extern const MethodRow pool_methods[];

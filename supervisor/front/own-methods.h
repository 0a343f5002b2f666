#pragma once
/*
 * own-methods: warder.info and rpc.discover: what the supervisor says of itself.
 */
#include "supervisor/front/calls.h"

/** own_methods - ended by a NULL name */
extern const MethodRow own_methods[];

#pragma once
/*
 * policy-methods: policy.list, policy.show, policy.check.
 */
#include "supervisor/front/calls.h"

/** policy_methods - rows of the method table, ended by a NULL name */
extern const MethodRow policy_methods[];

#pragma once
/*
 * verify-methods: verify.run, the gate for any patch without an agent.
 */
#include "supervisor/front/clients.h"

/** verify_methods - rows of the method table, ended by a NULL name */
extern const MethodRow verify_methods[];

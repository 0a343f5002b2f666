#pragma once
/*
 * receipt-methods: task.receipt, for tasks and verifies.
 */
#include "supervisor/front/calls.h"

extern const MethodRow receipt_methods[];

#pragma once
/*
 * plan-fields: every field of a Plan, one at a time, at the edges of what it can hold.
 */
#include <stdbool.h>

#include "sandbox/plan.h"

typedef struct PlanMutation {
        const char *field; /* static */
        unsigned index;    /* of the element, where the field is one of an array's */
        uint64_t value;
} PlanMutation;

/**
 * plan_mutate() - the @k-th wrong or odd plan
 * @plan: changed in one field
 *
 * Returns: false where there is no such one: all were seen.
 */
bool plan_mutate(Plan *plan, unsigned k, PlanMutation *ret);

#pragma once
/*
 * fit: what can be known of a loaded workflow's values: which steps an expression can see, and what it can find
 * there, by the schemas of those that give it. Only what can never be right is a fault; what is not known is not.
 */
#include "agent/workflow/workflow.h"

/**
 * fit_check() - every expression of @workflow, every list, every comparison, every input of a called workflow
 * Returns: 0, -EINVAL with the path of the first that cannot be right, -ENOMEM.
 */
int fit_check(const Workflow *workflow, Error *err);

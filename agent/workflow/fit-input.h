#pragma once
/*
 * fit-input: whether what a step hands to the workflow that it calls can be that workflow's input.
 */
#include "agent/workflow/fit.h"

/** fit_input() - of a step of kind "workflow"; others fit. Returns: 0, -EINVAL with the path, -ENOMEM */
int fit_input(const Fit *fit, const Step *step, Error *err);

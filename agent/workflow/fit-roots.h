#pragma once
/*
 * fit-roots: whether there is an item and a state where expressions name them.
 */
#include "agent/workflow/fit.h"

/** fit_roots() - of expression @number, which stands at @where. Returns: 0 or -EINVAL with the path */
int fit_roots(const Fit *fit, unsigned number, const char *where, Error *err);

/** fit_sets() - can what @step sets be members of the state. Returns: 0, -EINVAL with the path, -ENOMEM */
int fit_sets(const Fit *fit, const Step *step, Error *err);

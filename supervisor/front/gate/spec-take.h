#pragma once
/*
 * spec-take: the verify spec of a request: checked, and below the limits of the policy that its tests get.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/gate/verify-spec.h"

/** spec_take() - of "spec" in @params. Returns: 0, or negative errno with call_refuse() done: the field */
int spec_take(Call *call, const cJSON *params, VerifySpec **ret, Error *err);

/** spec_take_checks() - with what "checks" of the task's workflow asks for besides. Returns: as spec_take() */
int spec_take_checks(Call *call, const cJSON *workflow, VerifySpec **spec, Error *err);

/** spec_take_bounds() - does no command ask for more than @limits. Returns: 0, or -EPERM with call_refuse() done */
int spec_take_bounds(Call *call, const VerifySpec *spec, const JailLimits *limits, Error *err);

#pragma once
/*
 * policy-limits: the limits of policies and requests, from one table of fields. What comes later may only
 * tighten what is there.
 */
#include "base/json.h"
#include "supervisor/front/plans.h"

/** limits_from_policy() - apply a policy file's "limits" and "command" (units as people write them) over @limits */
int limits_from_policy(JailLimits *limits, const cJSON *policy, bool tighten, Error *err);

/** limits_tighten() - apply a request's "limits" object; what would loosen is -EPERM with the field in @err */
int limits_tighten(JailLimits *limits, const cJSON *request, Error *err);

/** limits_settle() - make them fit each other and the host: an upper in memory is at most half of it */
void limits_settle(JailLimits *limits, const FrontInfo *info);

/** limits_describe() - add "limits" and "command" with plain numbers to @json */
void limits_describe(const JailLimits *limits, cJSON *json);

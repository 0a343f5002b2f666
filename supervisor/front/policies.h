#pragma once
/*
 * policies: policies/NAME.json, checked by schema, with `extends`; their limits and compiled filters.
 */
#include "supervisor/front/jails.h"

typedef struct Policy Policy;

int policies_new(Front *front, int dir_fd, Policies **ret, Error *err);
Policies *policies_free(Policies *policies);
/** policies_find() - by name, compiled on first use and cached; NULL with @err */
const Policy *policies_find(Policies *policies, const char *name, Error *err);
/** policy_limits() - effective limits, borrowed */
const JailLimits *policy_limits(const Policy *policy);
/** policy_filter() - sealed memfd, borrowed */
int policy_filter(const Policy *policy);
/** policy_digest() - SHA-256 of the effective policy, 32 bytes, borrowed */
const uint8_t *policy_digest(const Policy *policy);
/** policy_json() - effective policy as an object, fresh */
cJSON *policy_json(const Policy *policy);
/** policies_names() - fresh array of strings */
cJSON *policies_names(Policies *policies);
/** limits_tighten() - apply a request's "limits" object; what would loosen is -EPERM with the field in @err */
int limits_tighten(JailLimits *limits, const cJSON *request, Error *err);

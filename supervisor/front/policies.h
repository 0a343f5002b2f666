#pragma once
/*
 * policies: policies/NAME.json, checked by schema, with `extends`; their limits and compiled filters. And
 * the methods policy.list and policy.show.
 */
#include "supervisor/front/calls.h"
#include "supervisor/front/jails.h"
#include "supervisor/front/policy-limits.h"

typedef struct Policy Policy;

/** policies_new() - of a directory with NAME.json, schema/policy.json and seccomp/NAME.json (borrowed) */
int policies_new(Front *front, int dir_fd, Policies **ret, Error *err);
/** policies_free() - Returns: NULL */
Policies *policies_free(Policies *policies);
/** policies_find() - by name, compiled on first use and cached; NULL with @err */
const Policy *policies_find(Policies *policies, const char *name, Error *err);
/** policies_names() - fresh array of strings */
cJSON *policies_names(Policies *policies);

/** policy_name() - borrowed */
const char *policy_name(const Policy *policy);
/** policy_limits() - effective limits, borrowed */
const JailLimits *policy_limits(const Policy *policy);
/** policy_filter() - sealed memfd, borrowed */
int policy_filter(const Policy *policy);
/** policy_may_host_root() - does it allow the host's own root */
bool policy_may_host_root(const Policy *policy);
/** policy_may_bind() - may a jail change a caller's directory ("binds": "rw") */
bool policy_may_bind(const Policy *policy);
/** policy_digest() - SHA-256 of the effective policy, 32 bytes, borrowed */
const uint8_t *policy_digest(const Policy *policy);
/** policy_json() - effective policy as an object, fresh; NULL: no memory */
cJSON *policy_json(const Policy *policy);

/** policy_methods - rows of the method table, ended by a NULL name */
extern const MethodRow policy_methods[];

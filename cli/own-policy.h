#pragma once
/*
 * own-policy: a policy that the caller wrote. Its text goes with the request, never its path; it can only
 * tighten the policy that it extends.
 */
#include "base/error.h"
#include "base/json.h"

#define OWN_POLICY_MAX (64 * 1024)

/** own_policy_read() - {"file", "text"} of the file at @path, read as the user; owned by the caller. Returns: 0 or negative errno */
int own_policy_read(const char *path, cJSON **ret, Error *err);

/**
 * own_policy_add() - put a policy into a request
 * @policy: a file, where it has a slash; else ~/.config/warder/policies/NAME.json, where that is there; else
 *          the name of an administrator's or shipped one
 * @member: of @params
 *
 * Returns: 0 or negative errno.
 */
int own_policy_add(const char *policy, cJSON *params, const char *member, Error *err);

/** own_policy_choose() - "policy" of a request by @policy, else $WARDER_POLICY, else nothing. Returns: 0 or negative errno */
int own_policy_choose(const char *policy, cJSON *params, Error *err);

/** own_policy_names() - of ~/.config/warder/policies, in no order; fresh array of texts */
cJSON *own_policy_names(void);

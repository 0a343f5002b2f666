#pragma once
/*
 * The verbs "policy list" and "policy show".
 */
#include "cli/verbs.h"

extern const Verb verb_policy_list;
extern const Verb verb_policy_show;

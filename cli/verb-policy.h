#pragma once
/*
 * The verbs "policy list", "policy show" and "policy check".
 */
#include "cli/verbs.h"

extern const Verb verb_policy_list;
extern const Verb verb_policy_show;
extern const Verb verb_policy_check;

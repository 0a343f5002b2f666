#pragma once
/*
 * verb-pool: the verbs "pool set" and "pool show".
 */
#include "cli/verbs.h"

extern const Verb verb_pool_set, verb_pool_show;

#pragma once
/*
 * verb-diff: the verb "diff".
 */
#include "cli/verbs.h"

extern const Verb verb_diff;

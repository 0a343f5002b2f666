#pragma once
/*
 * verb-stats: warder stats and warder top.
 */
#include "cli/verbs.h"

extern const Verb verb_stats;
extern const Verb verb_top;

#pragma once
/*
 * verb-freeze: warder freeze and warder thaw.
 */
#include "cli/verbs.h"

extern const Verb verb_freeze;
extern const Verb verb_thaw;

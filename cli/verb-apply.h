#pragma once
/*
 * The verb "apply".
 */
#include "cli/verbs.h"

extern const Verb verb_apply;

#pragma once
/*
 * The verb "start".
 */
#include "cli/verbs.h"

extern const Verb verb_start;

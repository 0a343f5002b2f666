#pragma once
/*
 * The verb "run".
 */
#include "cli/verbs.h"

extern const Verb verb_run;

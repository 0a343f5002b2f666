#pragma once
/*
 * The verb "stop".
 */
#include "cli/verbs.h"

extern const Verb verb_stop;

#pragma once
/*
 * verb-fork: the verb "fork".
 */
#include "cli/verbs.h"

extern const Verb verb_fork;

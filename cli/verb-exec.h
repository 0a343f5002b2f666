#pragma once
/*
 * The verb "exec".
 */
#include "cli/verbs.h"

extern const Verb verb_exec;

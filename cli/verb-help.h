#pragma once
/*
 * The verb "help".
 */
#include "cli/verbs.h"

extern const Verb verb_help;

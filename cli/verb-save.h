#pragma once
/*
 * verb-save: the verb "save".
 */
#include "cli/verbs.h"

extern const Verb verb_save;

#pragma once
/*
 * The verb "ls".
 */
#include "cli/verbs.h"

extern const Verb verb_ls;

#pragma once
/*
 * The verb "cp": files and trees into a jail and out of it.
 */
#include "cli/verbs.h"

extern const Verb verb_cp;

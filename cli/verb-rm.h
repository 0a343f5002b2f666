#pragma once
/*
 * The verb "rm".
 */
#include "cli/verbs.h"

extern const Verb verb_rm;

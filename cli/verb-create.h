#pragma once
/*
 * The verb "create".
 */
#include "cli/verbs.h"

extern const Verb verb_create;

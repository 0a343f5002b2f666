#pragma once
/*
 * The verb "verify".
 */
#include "cli/verbs.h"

extern const Verb verb_verify;

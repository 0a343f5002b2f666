#pragma once
/*
 * The verb "attach": to a command in the background, as if it had been started here.
 */
#include "cli/verbs.h"

extern const Verb verb_attach;

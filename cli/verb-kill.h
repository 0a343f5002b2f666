#pragma once
/*
 * The verb "kill": a signal to a command of a jail.
 */
#include "cli/verbs.h"

extern const Verb verb_kill;

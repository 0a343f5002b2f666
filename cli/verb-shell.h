#pragma once
/*
 * The verb "shell": a shell, or another program for people, in a jail that is alive.
 */
#include "cli/verbs.h"

extern const Verb verb_shell;

#pragma once
/*
 * The verb "logs": what a command in the background has written.
 */
#include "cli/verbs.h"

extern const Verb verb_logs;

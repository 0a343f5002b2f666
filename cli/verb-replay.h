#pragma once
/*
 * The verb "task replay".
 */
#include "cli/verbs.h"

extern const Verb verb_task_replay;

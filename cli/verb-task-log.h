#pragma once
/*
 * The verb "task log".
 */
#include "cli/verbs.h"

extern const Verb verb_task_log;

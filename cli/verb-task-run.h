#pragma once
/*
 * The verbs "task run" and "task start": an agent works on a repository until the gate says it is done.
 */
#include "cli/verbs.h"

extern const Verb verb_task_run;
extern const Verb verb_task_start;

#pragma once
/*
 * The verbs "task resume" and "task undo".
 */
#include "cli/verbs.h"

extern const Verb verb_task_resume;
extern const Verb verb_task_undo;

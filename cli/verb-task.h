#pragma once
/*
 * The verbs for tasks that exist: "task list", "task show", "task watch", "task cancel", "task diff".
 */
#include "cli/verbs.h"

extern const Verb verb_task_list;
extern const Verb verb_task_show;
extern const Verb verb_task_watch;
extern const Verb verb_task_cancel;
extern const Verb verb_task_diff;

#pragma once
/*
 * verb-waiting: "task waiting": which tasks wait for people, now and from now on.
 */
#include "cli/verbs.h"

extern const Verb verb_task_waiting;

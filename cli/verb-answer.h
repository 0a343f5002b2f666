#pragma once
/*
 * verb-answer: "task approve", "task reject", "task answer": a person's word to a task that waits for it.
 */
#include "cli/verbs.h"

extern const Verb verb_task_approve;
extern const Verb verb_task_reject;
extern const Verb verb_task_answer;

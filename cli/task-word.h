#pragma once
/*
 * task-word: the id of a task, as a word of a call, and what is said where it is none.
 */
#include "cli/verbs.h"

/**
 * task_word() - the first word of @call as the id of a task
 * @most: words that the verb takes
 *
 * Returns: 0; VERB_E_USAGE, with what was given in the sentence.
 */
int task_word(const VerbCall *call, int most, Error *err);

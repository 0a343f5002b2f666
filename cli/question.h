#pragma once
/*
 * question: what a task asks people, as people read it. All of it is text of an agent's, and is escaped.
 */
#include <stdio.h>

#include "base/json.h"

/** question_open() - the first of a task's questions (task.show) that waits for people; borrowed; NULL: none */
const cJSON *question_open(const cJSON *task);

/** question_find() - the one with @id, or, @id NULL, the only one; borrowed; NULL: there is none, or more than one */
const cJSON *question_find(const cJSON *task, const char *id);

/** question_is_time() - is a moment waited for, and nobody asked */
bool question_is_time(const cJSON *question);

/** question_show() - all of it: what is asked, the plan, the choices, who may answer, until when */
void question_show(FILE *file, const cJSON *question);

/** question_show_decided() - one line: what was asked, what was said, by whom and when */
void question_show_decided(FILE *file, const cJSON *question);

/** question_show_words() - what to type to answer it */
void question_show_words(FILE *file, const cJSON *question);

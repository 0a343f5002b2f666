#pragma once
/*
 * question-form: what an agent may ask and what is an answer to it. All of it is hostile: a schema of an agent's
 * making is looked at by the front only if checking an answer by it costs little (no patterns, no references).
 */
#include "supervisor/front/tasks/questions.h"
#include "supervisor/front/tasks/task.h"

#define QUESTION_WAIT_LEAST 1000000ull /* microseconds */

/** question_form_check() - does what an agent asks make sense. Returns: 0, -EINVAL with a sentence */
int question_form_check(const cJSON *params, Error *err);
/** question_form_key() - the SHA-256 of all that is asked. Returns: 0 or -ENOMEM */
int question_form_key(const cJSON *params, uint8_t *ret_key, Error *err);
/** question_form_make() - a new question of @task: all but its number and patch; owned by the caller */
int question_form_make(const Task *task, const cJSON *params, Question *ret, Error *err);
/** question_form_is_approval() - is it answered by yes or no; else by an answer */
bool question_form_is_approval(const cJSON *what);
/** question_form_is_time() - is nobody asked, but a moment waited for; who may answer may end that early */
bool question_form_is_time(const cJSON *what);
/** question_form_fits() - may this be the answer. Returns: 0, -EINVAL with a sentence */
int question_form_fits(const cJSON *what, const cJSON *answer, Error *err);

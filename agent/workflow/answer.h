#pragma once
/*
 * answer: a model's last message as a step's output.
 */
#include "base/json.h"

enum { _ANSWER_E_SUCCESS, ANSWER_E_MISFIT };

/**
 * answer_read() - the message as a value that fits @schema
 * @schema: NULL: {"text": message}
 * @fault:  of ERROR_TEXT_MAX; on a misfit, what is wrong, in words for the model
 *
 * With a schema the message must be one JSON value; a single fenced block around it is taken off, since
 * many models cannot leave it away. A schema that takes a string takes the message itself.
 *
 * Returns: 0 with a fresh @ret_output, ANSWER_E_MISFIT, -ENOMEM.
 */
int answer_read(const char *text, const cJSON *schema, cJSON **ret_output, char *fault);

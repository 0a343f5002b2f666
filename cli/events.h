#pragma once
/*
 * events: one JSON object a line on stdout, for --json.
 */
#include "base/json.h"

/** events_print() - @event is consumed; @name and the time are put into it where it lacks them */
void events_print(const char *name, cJSON *event);

/** events_result() - any tree as one line on stdout, borrowed */
void events_result(const cJSON *json);

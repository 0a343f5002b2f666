#pragma once
/*
 * events: one JSON object a line on stdout, for --json.
 */
#include "base/json.h"

/** events_print() - @event is consumed; @name and the time are put into it where it lacks them */
void events_print(const char *name, cJSON *event);

/** events_result() - any tree as one line on stdout, borrowed */
void events_result(const cJSON *json);

/** events_line() - the same, for who writes on and on. Returns: 0, or negative errno where it cannot be written */
int events_line(const cJSON *json);

/** events_flush() - what was printed on stdout. Returns: 0, or negative errno where it cannot be written */
int events_flush(void);

/**
 * events_end() - how a verb ends that wrote until nothing could be written any more
 * @written: what events_line() or events_flush() returned last
 *
 * Returns: 0 where all was written, or the reader went: it has what it wanted; else negative errno.
 */
int events_end(int written, Error *err);

#pragma once
/*
 * trace: a task's events as spans: the task, each step instance, and in it model calls, tool calls, commands,
 * verifies and questions.
 */
#include "base/json.h"

typedef struct Trace Trace;

/** trace_new() - of a task. Returns: 0 or -ENOMEM */
int trace_new(const char *task, Trace **ret, Error *err);

/** trace_free() - NULL is fine. Returns: NULL */
Trace *trace_free(Trace *trace);
DEFINE_SCOPED(Trace *, trace_free);

/** trace_event() - take one event in, in the order of their numbers */
void trace_event(Trace *trace, const cJSON *event);

/**
 * trace_finish() - the document (OTLP/JSON), owned by the caller; what has not ended ends with the last event
 * @ret_dropped: spans for which there was no room
 *
 * Returns: 0 or -ENOMEM.
 */
int trace_finish(Trace *trace, cJSON **ret, uint64_t *ret_dropped, Error *err);

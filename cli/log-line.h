#pragma once
/*
 * log-line: an event as one line of text, for "task log".
 */
#include "base/buf.h"
#include "base/json.h"

typedef enum LogTimes {
        LOG_TIMES_UTC,   /* 2026-01-05T10:11:12.345Z */
        LOG_TIMES_SINCE, /* +12.345 s since the first event */
        LOG_TIMES_NONE,
        _LOG_TIMES_MAX,
} LogTimes;

/** log_times_parse() - by its name: utc, since, none. Returns: 0 or -EINVAL */
int log_times_parse(const char *name, LogTimes *ret);

/** log_line() - append the line and '\n', escaped; @first_usec is the time of the first event. Returns: as buf_append() */
int log_line(const cJSON *event, LogTimes times, uint64_t first_usec, Buf *out);

/** log_step() - the path of the step that the event is about, without numbers, cut to @size; "" where there is none */
const char *log_step(const cJSON *event, char *text, size_t size);

/** log_is_at() - is the event about the step @step or what is in it; a @step without numbers means all instances */
bool log_is_at(const cJSON *event, const char *step);

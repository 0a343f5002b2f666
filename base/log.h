#pragma once
/*
 * log: structured lines on stderr, or the journal where stderr is one ($JOURNAL_STREAM). A message is a
 * constant, data are fields; outside text is escaped and cut. Only mains, the front and the agent log.
 */
#include <syslog.h>

#include "base/error.h"

typedef struct LogField {
        const char *name; /* upper case */
        const char *text; /* borrowed; NULL is skipped */
} LogField;

#define F(NAME, TEXT) ((LogField){ NAME, TEXT })
#define F_ERR(ERR)    ((LogField){ "ERROR", (ERR)->text })

/** log_event() - one event: log_event(LOG_WARNING, "jail refused", F("JAIL", id), F_ERR(&err)) */
#define log_event(LEVEL, MESSAGE, ...) \
        log_fields(LEVEL, MESSAGE, (const LogField[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

/** log_fields() - the function behind log_event(); @fields ends with a NULL name */
void log_fields(int level, const char *message, const LogField *fields);

/** log_open() - name of the program in front of each line, and the least urgent level that is shown */
void log_open(const char *program, int max_level);

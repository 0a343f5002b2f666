#pragma once
/*
 * event-table: the words of the events, one row each, with the members that "data" may have. The page
 * warder-events(7) and the agent socket's own list have the same rows: tests/lint/events.t compares.
 */
#include <stdbool.h>

typedef struct EventRow {
        const char *name;
        bool from_agent; /* an agent may say it of itself */
        bool is_open;    /* has further members, by its phase */
        const char *const *members;
} EventRow;

/** event_row_find() - NULL: there is no such event */
const EventRow *event_row_find(const char *name);

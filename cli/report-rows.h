#pragma once
/*
 * report-rows: the events of a task or verify as rows of a timeline.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

#define ROWS_MAX 600u

typedef struct Row {
        int64_t start_usec, end_usec; /* since 1970; end 0: not yet */
        const char *bar;              /* class of the bar */
        unsigned depth;
        const char *word, *what, *cause; /* borrowed from the events; may be NULL */
        const cJSON *call;               /* borrowed: arguments of a tool */
        const cJSON *ended;              /* borrowed: results of a command */
        uint64_t iteration;
        bool bad;
} Row;

typedef struct Timeline {
        Row rows[ROWS_MAX];
        unsigned n;
        bool cut;
        int64_t first_usec, last_usec;
} Timeline;

/**
 * rows_take() - make rows of events
 * @line:   zeroed; its rows borrow from @events, which must outlive it
 * @events: an array, in their order
 *
 * What has not ended has end_usec 0. More than ROWS_MAX are cut, which @line says.
 */
void rows_take(Timeline *line, const cJSON *events);

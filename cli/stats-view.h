#pragma once
/*
 * stats-view: a StatsTable as lines of a terminal. Nothing but text is made here: the same table, size and order
 * give the same lines.
 */
#include "cli/stats-table.h"
#include "cli/task-view.h"

typedef struct StatsView {
        ViewSize size;
        StatsOrder order;
        bool plots; /* how it went, beside what it is now */
        bool whole; /* of a single jail all that is known */
} StatsView;

/** stats_view_order() - a word for it: "cpu" */
const char *stats_view_order(StatsOrder order);

/** stats_view_render() - append the lines, each ended by '\n'. Returns: as buf_append() */
int stats_view_render(const StatsTable *table, const StatsView *view, Buf *out);

/*
 * report-time: a table of rows with bars; what has no end yet lasts until the last event. Bars are SVG in the page,
 * with numbers of ours in them alone.
 */
#include "cli/report-time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/owned.h"
#include "base/units.h"
#include "cli/report-curves.h"
#include "cli/report-html.h"
#include "cli/report-rows.h"

#define WIDTH 1000.0

static void add_bar(Page *page, const Timeline *line, const Row *row) {
        double whole = (double) (line->last_usec - line->first_usec);
        double from = whole > 0 ? (double) (row->start_usec - line->first_usec) / whole : 0;
        double n = whole > 0 ? (double) (row->end_usec - row->start_usec) / whole : 0;

        from = from < 0 ? 0 : from;
        page_printf(page,
                    "<svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" "
                    "aria-hidden=\"true\"><rect class=\"lane\" width=\"1000\" height=\"10\"/>"
                    "<rect class=\"%s\" x=\"%.1f\" width=\"%.1f\" height=\"10\" rx=\"2\"/></svg>",
                    row->bad ? "b-bad" : row->bar, from * WIDTH, n * WIDTH < 4 ? 4 : n * WIDTH);
}

/* What a call is about: the one argument that says it */
static void show_call(Page *page, const cJSON *call) {
        static const char *const names[] = { "command", "path", "file_path", "pattern", "query" };
        const char *text = json_text(call, "arguments"), *about = NULL;
        SCOPED(json_free) cJSON *arguments = NULL;

        if (!text || json_parse(text, strlen(text), 0, &arguments, NULL) < 0)
                return;
        for (size_t i = 0; i < ELEMENTS(names) && !about; i++)
                about = json_text(arguments, names[i]);
        if (!about)
                return;
        page_raw(page, " <span class=\"dim mono\">");
        page_line(page, about, 120);
        page_raw(page, "</span>");
}

static void show_what(Page *page, const Row *row) {
        bool step = strcmp(row->bar, "b-step") == 0;

        page_raw(page, step ? "<b>" : "");
        page_line(page, row->word, 64);
        page_raw(page, step ? "</b>" : "");
        if (row->what) {
                page_raw(page, " <code>");
                page_line(page, row->what, 160);
                page_raw(page, "</code>");
        }
        if (row->call)
                show_call(page, row->call);
        if (row->iteration)
                page_printf(page, " <span class=\"dim\">iteration %llu</span>",
                            (unsigned long long) row->iteration);
}

static void show_cause(Page *page, const Row *row) {
        autofree char *end = row->ended ? report_end_text(row->ended) : NULL;
        const char *cause = end ? end : row->cause;

        if (!cause)
                return;
        page_printf(page, "<span class=\"badge %s\">", row->bad ? "bad" : "");
        page_line(page, cause, 60);
        page_raw(page, "</span>");
}

static void show_row(Page *page, const Timeline *line, const Row *row) {
        int64_t usec = row->end_usec - row->start_usec;
        int64_t since = row->start_usec - line->first_usec;
        char at[32], time[UNITS_TEXT_MAX];

        page_printf(page, "<tr class=\"in%u\"><td class=\"n dim\">%s</td><td>", row->depth,
                    report_seconds(since > 0 ? (uint64_t) since : 0, at));
        show_what(page, row);
        page_raw(page, "</td><td>");
        show_cause(page, row);
        page_printf(page, "</td><td class=\"n\">%s</td><td class=\"bar\">",
                    usec > 0 ? units_format_duration((uint64_t) usec, time) : "");
        add_bar(page, line, row);
        page_raw(page, "</td></tr>\n");
}

/* Of a task: the jail that the agent's commands ran in */
static void show_usage(Page *page, const cJSON *events) {
        const cJSON *event;

        cJSON_ArrayForEach(event, events) {
                const cJSON *data = json_get(event, "data");
                const char *phase = json_text(data, "phase");

                if (!phase || strcmp(phase, "usage") != 0)
                        continue;
                page_raw(page, "<h3>The agent's commands</h3>\n");
                report_chart(page, data);
        }
}

void report_timeline(Page *page, const Report *report) {
        autofree Timeline *line = calloc(1, sizeof(*line));

        if (!line) {
                page->r = page->r ? page->r : -ENOMEM;
                return;
        }
        rows_take(line, report->events);
        if (line->n == 0)
                return;
        page_raw(page, "<section>\n<h2>What happened</h2>\n<div class=\"scroll\"><table "
                       "class=\"time\">\n<tr>"
                       "<th>second</th><th>what</th><th>how it ended</th><th>time</th>"
                       "<th class=\"bar\"></th></tr>\n");
        for (unsigned i = 0; i < line->n; i++) {
                Row *row = &line->rows[i];

                if (row->end_usec < row->start_usec)
                        row->end_usec = row->end_usec == 0 ? line->last_usec : row->start_usec;
                show_row(page, line, row);
        }
        page_raw(page, "</table></div>\n");
        show_usage(page, report->events);
        if (line->cut)
                page_raw(page, "<p class=\"dim\">The rest is in events.jsonl.</p>\n");
        page_raw(page, "</section>\n");
}

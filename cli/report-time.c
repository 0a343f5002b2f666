/*
 * report-time: a row an event that takes time. Starts are remembered until their ends come; what has no end yet
 * lasts until the last event. All drawings are SVG in the page, with numbers of ours in them alone.
 */
#include "cli/report-time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/owned.h"
#include "base/units.h"
#include "cli/report-html.h"

#define ROWS_MAX    600u
#define WIDTH       1000.0
#define CHART_W     560.0
#define CHART_H     150.0
#define CHART_LEFT  4.0
#define CHART_TOP   18.0
#define CHART_FLOOR 132.0

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

/* "2026-01-05T10:11:12.345Z". Returns: microseconds since 1970, 0 where it is none */
static int64_t time_of(const cJSON *event) {
        const char *text = json_text(event, "time");
        struct tm tm = { 0 };
        unsigned milli = 0;

        if (!text || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3u", &tm.tm_year, &tm.tm_mon,
                            &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &milli) < 6)
                return 0;
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        return (int64_t) timegm(&tm) * 1000000 + (int64_t) milli * 1000;
}

static Row *add_row(Timeline *line, const cJSON *event, const char *bar, const char *word) {
        Row *row;

        if (line->n == ROWS_MAX) {
                line->cut = true;
                return NULL;
        }
        row = &line->rows[line->n++];
        *row = (Row){ .start_usec = time_of(event), .bar = bar, .word = word };
        return row;
}

/* The newest row of this kind that has not ended. */
static Row *open_row(Timeline *line, const char *bar, const char *what) {
        for (unsigned i = line->n; i > 0; i--) {
                Row *row = &line->rows[i - 1];

                if (row->end_usec == 0 && strcmp(row->bar, bar) == 0 &&
                    (!what || (row->what && strcmp(row->what, what) == 0)))
                        return row;
        }
        return NULL;
}

static unsigned depth_of(const char *step) {
        unsigned depth = 0;

        for (; step && *step; step++)
                depth += *step == '/';
        return depth > 2 ? 2 : depth;
}

/* ---- events to rows ------------------------------------------------------------------------------ */

static void on_step_start(Timeline *line, const cJSON *event, const cJSON *data) {
        Row *row = add_row(line, event, "b-step", "step");

        if (!row)
                return;
        row->what = json_text(event, "step");
        row->cause = json_text(data, "role");
        row->iteration = report_number(event, "iteration");
        row->depth = depth_of(row->what);
}

static void on_step_end(Timeline *line, const cJSON *event, const cJSON *data) {
        Row *row = open_row(line, "b-step", json_text(event, "step"));

        if (!row)
                return;
        row->end_usec = time_of(event);
        row->bad = json_text(data, "error") != NULL;
        if (row->bad)
                row->cause = json_text(data, "error");
}

static void on_call(Timeline *line, const cJSON *event, const cJSON *data) {
        Row *row = add_row(line, event, "b-tool", "tool");

        if (!row)
                return;
        row->what = json_text(data, "tool");
        row->call = data;
        row->depth = depth_of(json_text(event, "step")) + 1;
}

static void on_result(Timeline *line, const cJSON *event, const cJSON *data) {
        Row *row = open_row(line, "b-tool", NULL);

        if (!row)
                return;
        row->end_usec = time_of(event);
        row->bad = !json_true(data, "ok");
        row->cause = row->bad ? "refused or failed" : "done";
}

/* A model's reply is told when it is there: how long it took stands in it, if at all. */
static void on_model(Timeline *line, const cJSON *event, const cJSON *data) {
        Row *row = json_text(data, "role") ? add_row(line, event, "b-model", "model") : NULL;

        if (!row)
                return;
        row->end_usec = row->start_usec;
        row->start_usec -= (int64_t) report_number(data, "wall_usec");
        row->what = json_text(data, "role");
        row->depth = depth_of(json_text(event, "step")) + 1;
}

static void on_verify_start(Timeline *line, const cJSON *event, const cJSON *data) {
        Row *row = add_row(line, event, "b-gate", "verify");

        (void) data;
        if (row)
                row->depth = depth_of(json_text(event, "step"));
}

static void end_gate(Timeline *line, const cJSON *event) {
        Row *row = open_row(line, "b-command", NULL);

        if (row)
                row->end_usec = time_of(event);
}

static void on_verify_end(Timeline *line, const cJSON *event, const cJSON *data) {
        Row *row = open_row(line, "b-gate", NULL);
        const cJSON *verdict = json_get(data, "verdict");
        const char *word = cJSON_IsObject(verdict) ? json_text(verdict, "verdict")
                                                   : json_text(data, "verdict");

        end_gate(line, event);
        if (!row)
                return;
        row->end_usec = time_of(event);
        row->cause = word;
        row->bad = !word || strcmp(word, "passed") != 0;
}

static bool is_bad_end(const cJSON *command) {
        const char *cause = json_text(command, "cause");
        const cJSON *code = json_get(command, "code");

        return !cause || strcmp(cause, "exited") != 0 || !cJSON_IsNumber(code) ||
               code->valueint != 0;
}

static const char *phase_name(const char *phase) {
        static const char *const names[][2] = {
                { "unpack", "the base is unpacked" },
                { "setup", "setup" },
                { "apply", "the patch is applied" },
                { "base", "tests of the base" },
                { "command", "test command" },
                { "red", "tests without the change" },
                { "old_tests", "changed tests in their old form" },
                { "held", "held-back tests" },
        };

        for (size_t i = 0; i < ELEMENTS(names); i++)
                if (strcmp(names[i][0], phase) == 0)
                        return names[i][1];
        return phase;
}

static bool ends_with(const char *text, const char *end) {
        size_t n = strlen(text), m = strlen(end);

        return n >= m && strcmp(text + n - m, end) == 0;
}

/* A part of the change was taken away, and it is known what that did. */
static void on_hunk(Timeline *line, const cJSON *event, const cJSON *data) {
        Row *row = add_row(line, event, "b-tool", "without a part of the change");

        if (!row)
                return;
        row->end_usec = row->start_usec;
        row->depth = depth_of(json_text(event, "step")) + 1;
        row->what = json_text(data, "file");
        row->cause = json_text(data, "fate");
        row->bad = row->cause && strcmp(row->cause, "unproven") == 0;
}

/* A phase lasts until the next one; a command until its results. Tests of the base may fail. */
static void on_notice(Timeline *line, const cJSON *event, const cJSON *data) {
        const char *phase = json_text(data, "phase");
        Row *row = open_row(line, "b-command", NULL);

        if (!phase)
                return;
        if (strcmp(phase, "usage") == 0)
                return;
        if (strcmp(phase, "hunk") == 0) {
                on_hunk(line, event, data);
                return;
        }
        if (ends_with(phase, "_results")) {
                if (row)
                        row->ended = data;
                return;
        }
        if (row)
                row->end_usec = time_of(event);
        if (strcmp(phase, "results") == 0) {
                if (row) {
                        row->ended = data;
                        row->bad = is_bad_end(data);
                }
                return;
        }
        row = add_row(line, event, "b-command", phase_name(phase));
        if (!row)
                return;
        row->what = json_text(data, "id");
        row->depth = depth_of(json_text(event, "step")) + 1;
}

static void on_state(Timeline *line, const cJSON *event, const cJSON *data) {
        (void) data;
        end_gate(line, event);
}

static void on_limit(Timeline *line, const cJSON *event, const cJSON *data) {
        Row *row = add_row(line, event, "b-bad", "limit");

        if (!row)
                return;
        row->end_usec = row->start_usec;
        row->what = json_text(data, "limit");
        row->bad = true;
}

static const struct {
        const char *name;
        void (*take)(Timeline *line, const cJSON *event, const cJSON *data);
} takers[] = {
        { "step.start", on_step_start }, { "step.end", on_step_end },
        { "tool.call", on_call },        { "tool.result", on_result },
        { "model.call", on_model },      { "verify.start", on_verify_start },
        { "verify.end", on_verify_end }, { "notice", on_notice },
        { "limit", on_limit },           { "task.state", on_state },
};

static void take_events(Timeline *line, const cJSON *events) {
        const cJSON *event;

        cJSON_ArrayForEach(event, events) {
                const char *name = json_text(event, "event");
                int64_t at = time_of(event);

                if (at > 0 && (line->first_usec == 0 || at < line->first_usec))
                        line->first_usec = at;
                if (at > line->last_usec)
                        line->last_usec = at;
                for (size_t i = 0; name && at > 0 && i < ELEMENTS(takers); i++)
                        if (strcmp(takers[i].name, name) == 0)
                                takers[i].take(line, event, json_get(event, "data"));
        }
}

/* ---- curves -------------------------------------------------------------------------------------- */

typedef struct Curve {
        double x[256], y[256]; /* seconds, and percent or bytes */
        unsigned n;
        double max_x, max_y;
} Curve;

static double number_at(const cJSON *row, int i) {
        const cJSON *item = cJSON_GetArrayItem(row, i);

        return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e18
                       ? item->valuedouble
                       : 0;
}

static void add_point(Curve *curve, double x, double y) {
        if (curve->n == ELEMENTS(curve->x))
                return;
        curve->x[curve->n] = x;
        curve->y[curve->n++] = y;
        curve->max_x = x > curve->max_x ? x : curve->max_x;
        curve->max_y = y > curve->max_y ? y : curve->max_y;
}

/* Rows are [microseconds, processor microseconds, bytes, processes]. */
static void read_samples(const cJSON *samples, Curve *cpu, Curve *memory) {
        double last_at = 0, last_cpu = 0;
        const cJSON *row;

        cJSON_ArrayForEach(row, samples) {
                double at = number_at(row, 0), used = number_at(row, 1);

                if (at - last_at > 1000 && used >= last_cpu)
                        add_point(cpu, at / 1e6, (used - last_cpu) / (at - last_at) * 100);
                add_point(memory, at / 1e6, number_at(row, 2));
                last_at = at;
                last_cpu = used;
        }
}

static void add_path(Page *page, const Curve *curve, bool area) {
        double w = CHART_W - 2 * CHART_LEFT, h = CHART_FLOOR - CHART_TOP;

        for (unsigned i = 0; i < curve->n; i++) {
                double x = CHART_LEFT + (curve->max_x > 0 ? curve->x[i] / curve->max_x * w : 0);
                double y = CHART_FLOOR - (curve->max_y > 0 ? curve->y[i] / curve->max_y * h : 0);

                if (i == 0 && area)
                        page_printf(page, "M%.1f %.1fL%.1f %.1f", x, CHART_FLOOR, x, y);
                else
                        page_printf(page, "%c%.1f %.1f", i == 0 ? 'M' : 'L', x, y);
                if (area && i + 1 == curve->n)
                        page_printf(page, "L%.1f %.1fZ", x, CHART_FLOOR);
        }
}

static void add_curve(Page *page, const Curve *curve, const char *class, const char *title,
                      const char *most) {
        char time[UNITS_TEXT_MAX];

        page_printf(page,
                    "<figure><figcaption>%s, at most %s</figcaption>"
                    "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s over time\">"
                    "<path class=\"grid\" d=\"M0 %.0fH%.0fM0 %.0fH%.0fM0 %.0fH%.0f\"/>"
                    "<path class=\"%s-area\" d=\"",
                    title, most, CHART_W, CHART_H, title, CHART_TOP, CHART_W,
                    (CHART_TOP + CHART_FLOOR) / 2, CHART_W, CHART_FLOOR, CHART_W, class);
        add_path(page, curve, true);
        page_printf(page, "\"/><path class=\"%s\" d=\"", class);
        add_path(page, curve, false);
        page_printf(
                page,
                "\"/><text class=\"axis\" x=\"2\" y=\"13\">%s</text><text class=\"axis\" x=\"2\" "
                "y=\"147\">0 s</text><text class=\"axis\" x=\"%.0f\" y=\"147\" "
                "text-anchor=\"end\">%s</text></svg></figure>\n",
                most, CHART_W - 2, units_format_duration((uint64_t) (curve->max_x * 1e6), time));
}

void report_chart(Page *page, const cJSON *command) {
        Curve cpu = { .n = 0 }, memory = { .n = 0 };
        char percent[32], bytes[UNITS_TEXT_MAX];

        read_samples(json_get(command, "samples"), &cpu, &memory);
        if (cpu.n < 2 || memory.n < 2 || memory.max_x <= 0)
                return;
        (void) snprintf(percent, sizeof(percent), "%.0f%%", cpu.max_y);
        page_raw(page, "<div class=\"charts\">\n");
        add_curve(page, &cpu, "cpu", "Processor", percent);
        add_curve(page, &memory, "memory", "Memory of the jail",
                  units_format_size((uint64_t) memory.max_y, bytes));
        page_raw(page, "</div>\n");
}

/* ---- rows to a table ----------------------------------------------------------------------------- */

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
        take_events(line, report->events);
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

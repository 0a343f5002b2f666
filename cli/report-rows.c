/*
 * report-rows: a row an event that takes time. Starts are remembered until their ends come.
 */
#include "cli/report-rows.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/owned.h"
#include "cli/report.h"

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

void rows_take(Timeline *line, const cJSON *events) {
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

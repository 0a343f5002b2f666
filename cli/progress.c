/*
 * progress: one line a fact, so that a log of it reads as well as the screen. Everything in an event
 * comes from the agent or a model in the end, and is escaped.
 */
#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/units.h"
#include "cli/budgets.h"
#include "cli/terminal.h"
#include "cli/verdict.h"

#define TEXT_SHOWN  100
#define PLACE_SHOWN 160

typedef void (*EventFn)(Progress *progress, const cJSON *event, const cJSON *data);

static uint64_t number(const cJSON *object, const char *name) {
        uint64_t value = 0;

        (void) json_number(object, name, &value);
        return value;
}

static void tone(Tone which) {
        fputs(terminal_tone(which), stderr);
}

/* The first line of a text from outside, short */
static void show_line(const char *text) {
        autofree char *line = NULL;

        if (!text)
                return;
        text += strspn(text, " \t\r\n");
        line = strndup(text, strcspn(text, "\n"));
        terminal_text(stderr, line, TEXT_SHOWN);
}

static void flush_call(Progress *progress) {
        if (!progress->pending[0])
                return;
        fprintf(stderr, "    %s\n", progress->pending);
        progress->pending[0] = 0;
}

static void show_state(Progress *progress, const cJSON *event, const cJSON *data) {
        const char *state = json_text(data, "state");
        const char *cause = json_text(data, "cause");
        const char *summary = json_text(data, "summary");

        (void) progress;
        tone(TONE_BOLD);
        terminal_text(stderr, json_text(event, "task"), 16);
        tone(TONE_PLAIN);
        fputs(" is ", stderr);
        terminal_text(stderr, state ? state : "in an unknown state", 32);
        if (cause) {
                fputs(" (", stderr);
                terminal_text(stderr, cause, 64);
                fputc(')', stderr);
        }
        fputc('\n', stderr);
        if (summary)
                terminal_lines(stderr, "    | ", summary, 2000);
}

/* Loops and the gate have lines of their own: iterations and verdicts */
static bool is_silent(const char *kind) {
        static const char *const kinds[] = { "dountil", "dowhile", "verify" };

        for (size_t i = 0; kind && i < ELEMENTS(kinds); i++)
                if (strcmp(kinds[i], kind) == 0)
                        return true;
        return false;
}

/* The instance, by its path; an agent that sends none has the step alone */
static void show_place(const cJSON *event, const cJSON *data) {
        const char *path = json_text(data, "path");

        fputs("  step ", stderr);
        terminal_text(stderr, path ? path : json_text(event, "step"), PLACE_SHOWN);
}

/* Of a loop: its iterations count from 1 in a path, the items of all others from 0 */
static bool is_of_loop(const cJSON *data, uint64_t iteration) {
        const char *path = json_text(data, "path");
        const char *open = path ? strrchr(path, '[') : NULL;

        return !path || (open && strtoull(open + 1, NULL, 10) == iteration);
}

static void show_step(Progress *progress, const cJSON *event, const cJSON *data) {
        uint64_t iteration = number(event, "iteration");
        const char *role = json_text(data, "role");

        if (iteration > 0 && iteration != progress->iteration && is_of_loop(data, iteration)) {
                tone(TONE_BOLD);
                fprintf(stderr, "iteration %llu\n", (unsigned long long) iteration);
                tone(TONE_PLAIN);
        }
        progress->iteration = iteration;
        if (is_silent(json_text(data, "kind")))
                return;
        show_place(event, data);
        if (role) {
                fputs(" (", stderr);
                terminal_text(stderr, role, 40);
                fputc(')', stderr);
        }
        fputc('\n', stderr);
}

static void show_step_end(Progress *progress, const cJSON *event, const cJSON *data) {
        const char *error = json_text(data, "error");

        (void) progress;
        if (!error)
                return;
        tone(TONE_BAD);
        show_place(event, data);
        tone(TONE_PLAIN);
        fputs(" failed: ", stderr);
        show_line(error);
        fputc('\n', stderr);
}

/* A reply that is a plan, shown as text; false: it is none */
static bool show_plan(const char *text) {
        const char *open = strchr(text, '{'), *close = strrchr(text, '}');
        SCOPED(json_free) cJSON *json = NULL;
        const char *plan;
        const cJSON *file;

        if (!open || !close || close < open ||
            json_parse(open, (size_t) (close - open) + 1, 0, &json, NULL) < 0)
                return false;
        plan = json_text(json, "plan");
        if (!plan)
                return false;
        fputs(": the plan\n", stderr);
        terminal_paragraph(stderr, "      ", plan, 4000);
        cJSON_ArrayForEach(file, json_get(json, "files")) {
                fputs("      in ", stderr);
                terminal_text(stderr, cJSON_IsString(file) ? file->valuestring : "?", 200);
                fputc('\n', stderr);
        }
        return true;
}

/* Egress reports the calls that it made as well; the agent's own event is the one with a role */
static void show_model(Progress *progress, const cJSON *event, const cJSON *data) {
        uint64_t tokens = number(data, "tokens_in") + number(data, "tokens_out");
        const char *text = json_text(data, "text");

        (void) event;
        if (!json_text(data, "role"))
                return;
        tone(TONE_DIM);
        fputs(progress->replay ? "    recorded model" : "    model", stderr);
        fprintf(stderr, ", turn %llu", (unsigned long long) number(data, "turn"));
        if (tokens > 0)
                fprintf(stderr, ", %llu tokens", (unsigned long long) tokens);
        tone(TONE_PLAIN);
        if (text && *text && show_plan(text))
                return;
        if (text && *text) {
                fputs(": ", stderr);
                show_line(text);
        }
        fputc('\n', stderr);
}

/* What a call is about: the one argument that says it */
static const char *subject(const cJSON *arguments) {
        static const char *const names[] = { "command", "path", "file_path", "filePath",
                                             "pattern" };

        for (size_t i = 0; i < ELEMENTS(names); i++)
                if (json_text(arguments, names[i]))
                        return json_text(arguments, names[i]);
        return NULL;
}

static void show_call(Progress *progress, const cJSON *event, const cJSON *data) {
        const char *text = json_text(data, "arguments");
        SCOPED(json_free) cJSON *arguments = NULL;
        autofree char *tool = NULL, *about = NULL;
        const char *found;

        (void) event;
        flush_call(progress);
        if (text && json_parse(text, strlen(text), 0, &arguments, NULL) < 0)
                arguments = NULL;
        found = subject(arguments);
        tool = escape_new(json_text(data, "tool") ? json_text(data, "tool") : "?", 32);
        about = found ? strndup(found, strcspn(found, "\n")) : NULL;
        if (about) {
                char *safe = escape_new(about, TEXT_SHOWN);

                free(about);
                about = safe;
        }
        snprintf(progress->pending, sizeof(progress->pending), "%s%s%s", tool ? tool : "?",
                 about ? " " : "", about ? about : "");
}

static void show_result(Progress *progress, const cJSON *event, const cJSON *data) {
        char time[UNITS_TEXT_MAX];
        bool fine = json_true(data, "ok");

        (void) event;
        fprintf(stderr, "    %s  ", progress->pending[0] ? progress->pending : "result");
        progress->pending[0] = 0;
        tone(fine ? TONE_DIM : TONE_WARN);
        fprintf(stderr, "%s, %s", fine ? "done" : "refused or failed",
                units_format_duration(number(data, "wall_usec"), time));
        if (!fine) {
                fputs(": ", stderr);
                show_line(json_text(data, "text"));
        }
        tone(TONE_PLAIN);
        fputc('\n', stderr);
}

/* Commands are told where one is another vendor's agent that failed: only that has a text */
static void show_command(Progress *progress, const cJSON *event, const cJSON *data) {
        const char *text = json_text(data, "text"), *cause = json_text(data, "cause");

        (void) progress;
        (void) event;
        if (!text)
                return;
        tone(TONE_WARN);
        fputs("    the command ended: ", stderr);
        show_line(cause);
        if (json_get(data, "code"))
                fprintf(stderr, " %llu", (unsigned long long) number(data, "code"));
        tone(TONE_PLAIN);
        fputs("; the last that it said:\n", stderr);
        terminal_lines(stderr, "      ", text, 4096);
}

static void show_verify_start(Progress *progress, const cJSON *event, const cJSON *data) {
        (void) progress;
        (void) event;
        (void) data;
        fputs("    verify: the supervisor applies the patch to the base and runs the tests\n",
              stderr);
}

static void show_verify_end(Progress *progress, const cJSON *event, const cJSON *data) {
        const cJSON *verdict = json_get(data, "verdict");

        (void) progress;
        fputs("    ", stderr);
        verdict_line(stderr, cJSON_IsObject(verdict) ? verdict : data);
        budgets_line(stderr, json_get(event, "used"));
}

/* Phases that are over before they are read: the verdict says what came of them */
static bool is_fast(const char *phase) {
        static const char *const phases[] = { "apply", "results", "base_results", "usage" };

        for (size_t i = 0; phase && i < ELEMENTS(phases); i++)
                if (strcmp(phases[i], phase) == 0)
                        return true;
        return false;
}

static void show_notice(Progress *progress, const cJSON *event, const cJSON *data) {
        const char *text = json_text(data, "text");
        const char *phase = json_text(data, "phase");

        (void) progress;
        (void) event;
        if ((!text && !phase) || is_fast(phase))
                return;
        tone(TONE_DIM);
        fputs("    ", stderr);
        show_line(text ? text : phase);
        if (json_text(data, "id")) {
                fputc(' ', stderr);
                show_line(json_text(data, "id"));
        }
        tone(TONE_PLAIN);
        fputc('\n', stderr);
}

static void show_words(const char *before, const char *text) {
        fputs(before, stderr);
        terminal_text(stderr, text ? text : "?", 16);
}

/* What a person may type */
static void show_ways(const cJSON *event, const cJSON *data) {
        const char *about = json_text(data, "about"), *task = json_text(event, "task");
        bool is_time = about && strcmp(about, "time") == 0;
        bool is_open = !about || strcmp(about, "question") == 0;

        show_words(is_time   ? "      it goes on by itself, or by: warder task approve "
                   : is_open ? "      to answer: warder task answer "
                             : "      to answer: warder task approve ",
                   task);
        fputs(is_open ? " 'ANSWER'" : "", stderr);
        show_words(" --question ", json_text(data, "question"));
        fputs(is_time ? "" : ", or reject in its place", stderr);
        show_words("; all of it: warder task show ", task);
        fputc('\n', stderr);
}

static void show_ask(Progress *progress, const cJSON *event, const cJSON *data) {
        const char *phase = json_text(data, "phase");
        bool asked = phase && strcmp(phase, "asked") == 0;
        const char *decision = json_text(data, "decision"), *comment = json_text(data, "comment");

        (void) progress;
        (void) event;
        tone(TONE_WARN);
        fputs(asked ? "    asks: " : "    the answer: ", stderr);
        tone(TONE_PLAIN);
        show_line(asked ? json_text(data, "text") : decision);
        fputc('\n', stderr);
        if (asked)
                show_ways(event, data);
        if (!asked && comment)
                terminal_lines(stderr, "      ", comment, 1000);
}

static void show_limit(Progress *progress, const cJSON *event, const cJSON *data) {
        const char *limit = json_text(data, "limit");

        (void) progress;
        tone(TONE_WARN);
        fputs("    limit reached: ", stderr);
        show_line(limit ? limit : json_text(data, "text"));
        tone(TONE_PLAIN);
        fputc('\n', stderr);
        if (limit && json_text(data, "text"))
                terminal_lines(stderr, "      ", json_text(data, "text"), 1000);
        budgets_line(stderr, json_get(event, "used"));
}

static const struct {
        const char *name;
        EventFn show;
} events[] = {
        { "task.state", show_state },      { "step.start", show_step },
        { "step.end", show_step_end },     { "model.call", show_model },
        { "tool.call", show_call },        { "tool.result", show_result },
        { "command.end", show_command },   { "verify.start", show_verify_start },
        { "verify.end", show_verify_end }, { "ask", show_ask },
        { "limit", show_limit },           { "notice", show_notice },
};

void progress_event(Progress *progress, const cJSON *event) {
        const char *name = json_text(event, "event");

        if (name && strcmp(name, "tool.result") != 0 && strcmp(name, "tool.call") != 0)
                flush_call(progress);
        for (size_t i = 0; name && i < ELEMENTS(events); i++)
                if (strcmp(events[i].name, name) == 0)
                        events[i].show(progress, event, json_get(event, "data"));
}

/*
 * trace: one function an event. Attributes of models and tools have the names of OpenTelemetry's conventions for
 * generative AI, those of ours begin with "warder.".
 */
#include "cli/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cli/follow.h"
#include "cli/spans.h"

struct Trace {
        Spans *spans;      /* owned */
        OtlpStatus status; /* of the task */
        char message[256];
};

static uint64_t number(const cJSON *object, const char *name) {
        uint64_t value = 0;

        (void) json_number(object, name, &value);
        return value;
}

/* ---- where -------------------------------------------------------------------------------------- */

/* Where a step begins or ends; "": nowhere that can be named */
static const char *step_of(const cJSON *event, const cJSON *data) {
        const char *path = json_text(data, "path");

        if (!path)
                path = json_text(event, "step");
        return path && strlen(path) < SPANS_PATH_MAX ? path : "";
}

/* What happens in a step: an instance path, or a place, which must mean the instance that runs; "": the task */
static const char *path_of(const Trace *trace, const cJSON *event, const cJSON *data) {
        const char *path = step_of(event, data);

        return json_text(data, "path") || !*path ? path : spans_instance(trace->spans, path);
}

static void on_state(Trace *trace, const cJSON *event, const cJSON *data) {
        const char *state = json_text(data, "state"), *cause = json_text(data, "cause");
        OpenSpan *task = spans_task(trace->spans);
        cJSON *attributes;

        if (!task || !state)
                return;
        if (!follow_is_final(state)) {
                attributes = otlp_attributes();
                otlp_text(attributes, "warder.state", state);
                spans_note(trace->spans, json_text(event, "event"), attributes);
                return;
        }
        trace->status = strcmp(state, "verified") == 0 ? OTLP_OK : OTLP_ERROR;
        (void) snprintf(trace->message, sizeof(trace->message), "%.60s%s%.120s", state,
                        cause ? ": " : "", cause ? cause : "");
        otlp_text(task->attributes, "warder.state", state);
        otlp_text(task->attributes, "warder.cause", cause);
}

/* A limit, a notice of words: something that happened at one moment of the task */
static void on_moment(Trace *trace, const cJSON *event, const cJSON *data) {
        const char *text = json_text(data, "text"), *limit = json_text(data, "limit");
        cJSON *attributes;

        if (!text && !limit)
                return;
        attributes = otlp_attributes();
        otlp_text(attributes, "warder.limit", limit);
        otlp_text(attributes, "warder.text", text);
        spans_note(trace->spans, json_text(event, "event"), attributes);
}

static void on_step_start(Trace *trace, const cJSON *event, const cJSON *data) {
        const char *path = step_of(event, data);
        OpenSpan *open;

        if (!*path)
                return;
        open = spans_find(trace->spans, "step", path);
        if (open) { /* its agent ended within it, and another one begins it again */
                spans_close_below(trace->spans, path);
                open = spans_find(trace->spans, "step", path);
                spans_close(trace->spans, open, OTLP_UNSET, NULL);
        }
        open = spans_begin_step(trace->spans, path);
        if (!open)
                return;
        otlp_text(open->attributes, "warder.step.kind", json_text(data, "kind"));
        otlp_text(open->attributes, "gen_ai.agent.name", json_text(data, "role"));
}

static void on_step_end(Trace *trace, const cJSON *event, const cJSON *data) {
        const char *path = step_of(event, data), *state = json_text(data, "state");
        bool failed = state && strcmp(state, "failed") == 0;
        OpenSpan *open;

        if (!*path)
                return;
        spans_close_below(trace->spans, path);
        open = spans_find(trace->spans, "step", path);
        if (!open)
                return;
        otlp_text(open->attributes, "warder.step.state", state);
        spans_close(trace->spans, open, failed ? OTLP_ERROR : OTLP_UNSET, json_text(data, "error"));
}

/* The agent tells of its calls with a role; egress, which is at the other end, with an HTTP status */
static void on_model(Trace *trace, const cJSON *event, const cJSON *data) {
        const char *role = json_text(data, "role");
        OtlpSpan span = { .name = role ? "chat" : "egress",
                          .kind = OTLP_CLIENT,
                          .attributes = otlp_attributes() };
        uint64_t status = number(data, "status");

        if (role)
                otlp_text(span.attributes, "gen_ai.operation.name", "chat");
        otlp_text(span.attributes, "gen_ai.agent.name", role);
        otlp_text(span.attributes, "gen_ai.request.model", json_text(data, "model"));
        otlp_number(span.attributes, "gen_ai.usage.input_tokens", number(data, "tokens_in"));
        otlp_number(span.attributes, "gen_ai.usage.output_tokens", number(data, "tokens_out"));
        if (!role && status > 0)
                otlp_number(span.attributes, "http.response.status_code", status);
        if (!role && status >= 400)
                span.status = OTLP_ERROR;
        spans_put(trace->spans, role ? "model" : "egress", role ? path_of(trace, event, data) : "",
                  &span, number(data, "wall_usec"));
}

static void on_tool_call(Trace *trace, const cJSON *event, const cJSON *data) {
        const char *path = path_of(trace, event, data), *tool = json_text(data, "tool");
        char name[160];
        OpenSpan *open;

        (void) snprintf(name, sizeof(name), "execute_tool %.120s", tool ? tool : "?");
        open = spans_begin(trace->spans, "tool", path, name);
        if (!open)
                return;
        otlp_text(open->attributes, "gen_ai.operation.name", "execute_tool");
        otlp_text(open->attributes, "gen_ai.tool.name", tool);
        otlp_text(open->attributes, "gen_ai.tool.call.arguments", json_text(data, "arguments"));
}

/* Calls of one step follow one another, so the open one is meant */
static void on_tool_result(Trace *trace, const cJSON *event, const cJSON *data) {
        const char *path = path_of(trace, event, data), *text = json_text(data, "text");
        bool fine = json_true(data, "ok");
        OpenSpan *open = spans_find(trace->spans, "tool", path);
        char message[240];

        if (!open)
                return;
        (void) snprintf(message, sizeof(message), "%.*s", text ? (int) strcspn(text, "\n") : 0,
                        text ? text : "");
        spans_close(trace->spans, open, fine ? OTLP_UNSET : OTLP_ERROR, message);
}

/* Part of what is open of this kind at this path, a tool call or a verify, where there is one */
static void set_parent(Trace *trace, const char *kind, const char *path, OtlpSpan *span) {
        const OpenSpan *open = spans_find(trace->spans, kind, path);

        if (open)
                spans_id(trace->spans, open, span->parent);
}

static void on_command(Trace *trace, const cJSON *event, const cJSON *data) {
        const char *line = json_text(data, "command"), *cause = json_text(data, "cause");
        uint64_t code = number(data, "code"), signal = number(data, "signal");
        OtlpSpan span = { .name = "command", .kind = OTLP_INTERNAL, .message = cause };

        span.attributes = otlp_attributes();
        span.status = code > 0 || signal > 0 || !cause || strcmp(cause, "exited") != 0 ? OTLP_ERROR
                                                                                       : OTLP_UNSET;
        otlp_text(span.attributes, "warder.command", line);
        otlp_text(span.attributes, "warder.cause", cause);
        otlp_number(span.attributes, "process.exit.code", code);
        set_parent(trace, "tool", path_of(trace, event, data), &span);
        spans_put(trace->spans, "command", path_of(trace, event, data), &span,
                  number(data, "wall_usec"));
}

/* Commands of the verify spec are told of by a notice, when their results have been read */
static void on_notice(Trace *trace, const cJSON *event, const cJSON *data) {
        const char *phase = json_text(data, "phase"), *id = json_text(data, "id");
        const char *cause = json_text(data, "cause");
        OtlpSpan span = { .kind = OTLP_INTERNAL };
        char name[160];

        if (!phase || !id || !cause || !strstr(phase, "results")) {
                on_moment(trace, event, data);
                return;
        }
        (void) snprintf(name, sizeof(name), "%.60s %.90s", phase, id);
        span.name = name;
        span.attributes = otlp_attributes();
        otlp_text(span.attributes, "warder.command", id);
        otlp_text(span.attributes, "warder.cause", cause);
        otlp_number(span.attributes, "process.exit.code", number(data, "code"));
        set_parent(trace, "verify", path_of(trace, event, data), &span);
        spans_put(trace->spans, "test", path_of(trace, event, data), &span,
                  number(data, "wall_usec"));
}

static void on_verify_start(Trace *trace, const cJSON *event, const cJSON *data) {
        const char *path = path_of(trace, event, data);
        OpenSpan *open = spans_begin(trace->spans, "verify", path, "verify");

        if (open)
                otlp_number(open->attributes, "warder.verify", number(data, "n"));
}

static void on_verify_end(Trace *trace, const cJSON *event, const cJSON *data) {
        const char *path = path_of(trace, event, data), *verdict = json_text(data, "verdict");
        OpenSpan *open = spans_find(trace->spans, "verify", path);

        if (!open)
                return;
        otlp_text(open->attributes, "warder.verdict", verdict);
        otlp_text(open->attributes, "warder.patch", json_text(data, "patch"));
        spans_close(trace->spans, open,
                    verdict && strcmp(verdict, "passed") == 0 ? OTLP_OK : OTLP_ERROR,
                    json_text(data, "reason"));
}

static void on_ask(Trace *trace, const cJSON *event, const cJSON *data) {
        const char *path = path_of(trace, event, data), *phase = json_text(data, "phase");
        OpenSpan *open = spans_find(trace->spans, "ask", path);

        if (open && phase && strcmp(phase, "decided") == 0) {
                otlp_text(open->attributes, "warder.decision", json_text(data, "decision"));
                spans_close(trace->spans, open, OTLP_UNSET, NULL);
        } else if (!open && (!phase || strcmp(phase, "asked") == 0)) {
                open = spans_begin(trace->spans, "ask", path, "ask");
                if (open)
                        otlp_text(open->attributes, "warder.text", json_text(data, "text"));
        }
}

static const struct {
        const char *name;
        void (*take)(Trace *trace, const cJSON *event, const cJSON *data);
} takers[] = {
        { "task.state", on_state },
        { "step.start", on_step_start },
        { "step.end", on_step_end },
        { "model.call", on_model },
        { "tool.call", on_tool_call },
        { "tool.result", on_tool_result },
        { "command.end", on_command },
        { "notice", on_notice },
        { "verify.start", on_verify_start },
        { "verify.end", on_verify_end },
        { "ask", on_ask },
        { "limit", on_moment },
};

void trace_event(Trace *trace, const cJSON *event) {
        const char *name = json_text(event, "event");
        uint64_t usec = 0;

        if (!name || units_parse_time(json_text(event, "time"), &usec) < 0)
                return;
        spans_set_time(trace->spans, usec);
        for (size_t i = 0; i < ELEMENTS(takers); i++)
                if (strcmp(takers[i].name, name) == 0)
                        takers[i].take(trace, event, json_get(event, "data"));
}

int trace_new(const char *task, Trace **ret, Error *err) {
        SCOPED(trace_free) Trace *trace = calloc(1, sizeof(*trace));
        int r;

        if (!trace)
                return error_set(err, -ENOMEM, "make a trace");
        r = spans_new(task, &trace->spans, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(trace);
        return 0;
}

Trace *trace_free(Trace *trace) {
        if (trace)
                spans_free(trace->spans);
        free(trace);
        return NULL;
}

int trace_finish(Trace *trace, cJSON **ret, uint64_t *ret_dropped, Error *err) {
        return spans_finish(trace->spans, trace->status, trace->message, ret, ret_dropped, err);
}

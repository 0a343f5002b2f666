/*
 * log-line: a time, the step, what happened. One row of the table an event; what is not in it is shown by its name.
 */
#include "cli/log-line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/money.h"
#include "base/units.h"

#define TEXT_SHOWN 160u

static const char *const times_names[_LOG_TIMES_MAX] = { "utc", "since", "none" };

int log_times_parse(const char *name, LogTimes *ret) {
        for (unsigned i = 0; name && i < _LOG_TIMES_MAX; i++)
                if (strcmp(times_names[i], name) == 0) {
                        *ret = (LogTimes) i;
                        return 0;
                }
        return -EINVAL;
}

static uint64_t number(const cJSON *object, const char *name) {
        uint64_t value = 0;

        (void) json_number(object, name, &value);
        return value;
}

/* ---- pieces -------------------------------------------------------------------------------------- */

/* The first line of a text from outside, with what stands before it; nothing where there is none */
static void add(Buf *out, const char *before, const char *text) {
        autofree char *first = NULL, *safe = NULL;

        if (!text)
                return;
        text += strspn(text, " \t\r\n");
        first = strndup(text, strcspn(text, "\r\n"));
        safe = first && *first ? escape_new(first, TEXT_SHOWN) : NULL;
        if (safe)
                (void) buf_printf(out, "%s%s", before, safe);
}

static void add_duration(Buf *out, const cJSON *data) {
        char text[UNITS_TEXT_MAX];

        if (json_get(data, "wall_usec"))
                (void) buf_printf(out, ", %s",
                                  units_format_duration(number(data, "wall_usec"), text));
}

static void add_tokens(Buf *out, const cJSON *data) {
        uint64_t in = number(data, "tokens_in"), back = number(data, "tokens_out");
        char text[MONEY_TEXT_MAX];

        if (in + back > 0)
                (void) buf_printf(out, ", %llu tokens in, %llu out", (unsigned long long) in,
                                  (unsigned long long) back);
        if (json_get(data, "money"))
                (void) buf_printf(out, ", cost %s",
                                  money_format(number(data, "money"), NULL, text));
}

/* ---- events -------------------------------------------------------------------------------------- */

static void say_state(const cJSON *data, Buf *out) {
        add(out, "the task is ", json_text(data, "state"));
        add(out, ", cause ", json_text(data, "cause"));
        add(out, ": ", json_text(data, "summary"));
}

static void say_start(const cJSON *data, Buf *out) {
        (void) buf_printf(out, "begins");
        add(out, ": ", json_text(data, "kind"));
        add(out, ", ", json_text(data, "role"));
}

static void say_end(const cJSON *data, Buf *out) {
        add(out, "", json_text(data, "state") ? json_text(data, "state") : "ends");
        add_duration(out, data);
        add(out, ": ", json_text(data, "error"));
}

static void say_model(const cJSON *data, Buf *out) {
        const char *role = json_text(data, "role");

        if (role)
                (void) buf_printf(out, "model, turn %llu",
                                  (unsigned long long) number(data, "turn"));
        else
                (void) buf_printf(out, "egress, call %llu, status %llu",
                                  (unsigned long long) number(data, "call"),
                                  (unsigned long long) number(data, "status"));
        add_tokens(out, data);
        add_duration(out, data);
        add(out, ": ", json_text(data, "text"));
}

static void say_call(const cJSON *data, Buf *out) {
        add(out, "calls ", json_text(data, "tool"));
        add(out, " ", json_text(data, "arguments"));
}

static void say_result(const cJSON *data, Buf *out) {
        bool fine = json_true(data, "ok");

        add(out, "", json_text(data, "tool"));
        (void) buf_printf(out, fine ? " done" : " refused or failed");
        add_duration(out, data);
        add(out, ": ", fine ? NULL : json_text(data, "text"));
}

static void say_command(const cJSON *data, Buf *out) {
        add(out, "command ", json_text(data, "command"));
        add(out, ": ", json_text(data, "cause"));
        if (json_get(data, "code"))
                (void) buf_printf(out, " %llu", (unsigned long long) number(data, "code"));
        add_duration(out, data);
        add(out, ": ", json_text(data, "text"));
}

static void say_verify(const cJSON *data, Buf *out) {
        (void) buf_printf(out, "verify %llu begins", (unsigned long long) number(data, "n"));
}

static void say_verdict(const cJSON *data, Buf *out) {
        const cJSON *tests = json_get(data, "tests"), *name;
        unsigned n = 0;

        (void) buf_printf(out, "verdict %llu", (unsigned long long) number(data, "n"));
        add(out, ": ", json_text(data, "verdict"));
        if (number(tests, "run") > 0)
                (void) buf_printf(out, ", %llu of %llu tests passed",
                                  (unsigned long long) number(tests, "passed"),
                                  (unsigned long long) number(tests, "run"));
        cJSON_ArrayForEach(name, json_get(data, "failing")) {
                if (n++ < 3)
                        add(out, n == 1 ? "; failing: " : ", ",
                            cJSON_IsString(name) ? name->valuestring : "?");
        }
        if (n > 3)
                (void) buf_printf(out, " and %u more", n - 3);
}

static void say_ask(const cJSON *data, Buf *out) {
        const char *phase = json_text(data, "phase");

        if (phase && strcmp(phase, "decided") == 0)
                add(out, "decided: ", json_text(data, "decision"));
        else
                add(out, "asks: ", json_text(data, "text"));
        add(out, ": ", json_text(data, "comment"));
}

static void say_limit(const cJSON *data, Buf *out) {
        (void) buf_printf(out, "a limit was reached");
        add(out, ": ", json_text(data, "limit"));
        add(out, ": ", json_text(data, "text"));
}

static void say_notice(const cJSON *data, Buf *out) {
        const char *phase = json_text(data, "phase"), *text = json_text(data, "text");

        add(out, "", phase);
        add(out, phase ? " " : "", json_text(data, "id"));
        add(out, " to ", json_text(data, "step")); /* of an undo */
        add(out, ": ", json_text(data, "cause"));
        add(out, phase && text ? ": " : "", text);
}

static const struct {
        const char *name;
        void (*say)(const cJSON *data, Buf *out);
} says[] = {
        { "task.state", say_state },    { "step.start", say_start },
        { "step.end", say_end },        { "model.call", say_model },
        { "tool.call", say_call },      { "tool.result", say_result },
        { "command.end", say_command }, { "verify.start", say_verify },
        { "verify.end", say_verdict },  { "ask", say_ask },
        { "limit", say_limit },         { "notice", say_notice },
};

/* ---- lines --------------------------------------------------------------------------------------- */

static const char *path_of(const cJSON *event) {
        const char *path = json_text(json_get(event, "data"), "path");

        return path ? path : json_text(event, "step");
}

static void add_time(const cJSON *event, LogTimes times, uint64_t first_usec, Buf *out) {
        uint64_t usec = first_usec;
        uint64_t since;

        if (times == LOG_TIMES_UTC)
                add(out, "", json_text(event, "time"));
        if (times == LOG_TIMES_SINCE) {
                (void) units_parse_time(json_text(event, "time"), &usec);
                since = usec > first_usec ? usec - first_usec : 0;
                (void) buf_printf(out, "+%llu.%03u s", (unsigned long long) (since / 1000000),
                                  (unsigned) (since / 1000 % 1000));
        }
        if (times != LOG_TIMES_NONE)
                (void) buf_printf(out, "  ");
}

int log_line(const cJSON *event, LogTimes times, uint64_t first_usec, Buf *out) {
        const char *name = json_text(event, "event"), *path = path_of(event);
        size_t before;

        add_time(event, times, first_usec, out);
        add(out, "", path);
        if (path && *path)
                (void) buf_printf(out, "  ");
        before = out->len;
        for (size_t i = 0; name && i < ELEMENTS(says); i++)
                if (strcmp(says[i].name, name) == 0)
                        says[i].say(json_get(event, "data"), out);
        if (out->len == before)
                add(out, "", name ? name : "?");
        return buf_append(out, "\n", 1);
}

/* ---- filters ------------------------------------------------------------------------------------- */

const char *log_step(const cJSON *event, char *text, size_t size) {
        const char *path = path_of(event);
        size_t n = 0;

        while (path && *path) {
                size_t part = strcspn(path, "/"), id = strcspn(path, "[/");

                if (*path != '~' && n + id + 2 < size)
                        n += (size_t) snprintf(text + n, size - n, "%s%.*s", n > 0 ? "/" : "",
                                               (int) id, path);
                path += part + (path[part] == '/');
        }
        text[n] = '\0';
        return text;
}

/* Does the path begin with @step, part by part; where @step has no number, any fits, and tries are left out */
bool log_is_at(const cJSON *event, const char *step) {
        const char *path = path_of(event);

        while (path && *step) {
                size_t part = strcspn(path, "/"), wanted = strcspn(step, "/");
                size_t id = strcspn(path, "[/");

                if (*path == '~' && *step != '~') {
                        path += part + (path[part] == '/');
                        continue;
                }
                if (!*path || strncmp(path, step, wanted) != 0 || (wanted != part && wanted != id))
                        return false;
                path += part + (path[part] == '/');
                step += wanted + (step[wanted] == '/');
        }
        return path != NULL;
}

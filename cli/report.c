/* report: see report.h. */
#include "cli/report.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/units.h"

#define ITEM_MAX      2048
#define EXCERPT_LINES 30
#define EXCERPT_MAX   4096

const ReportList report_lists[] = {
        { "/failing", "Failing tests", NULL, true },
        { "/known", "Of these, failing on the base as well", NULL, false },
        { "/missing", "Tests of the base that did not run", "missing", false },
        { "/newly_skipped", "Tests that are skipped now", "skipped", false },
        { "/flaky", "Tests that fail only sometimes", "flaky", false },
        { "/restored", "Protected files that were put back or taken away", "tampered", false },
        { "/dangerous", "Of these, files that change how tests run", NULL, false },
        { "/new_tests", "New tests", NULL, false },
        { "/remarks", "Remarks on the change", NULL, false },
        { "/tdd/red", "Tests that fail without the change, as they must", NULL, false },
        { "/tdd/red_commands", "Commands that fail without the change, as they must", NULL, false },
        { "/tdd/not_red", "New or changed tests that do not fail without the change", "not_red",
          false },
        { "/tdd/old_failing", "Changed tests that fail in their old form", "old_form", false },
        { "/tdd/unproven", "Parts of the change that no test needs", "unproven", false },
        { "/held/failing", "Held-back tests that fail", "overfitted", true },
        { 0 },
};

/* {"test", "why"} or {"file", "line", "lines"} */
static char *object_text(const cJSON *item) {
        const char *test = json_text(item, "test"), *why = json_text(item, "why");
        const char *file = json_text(item, "file");
        uint64_t line = report_number(item, "line"), lines = report_number(item, "lines");
        Buf text = BUF_EMPTY(ITEM_MAX);

        (void) buf_printf(&text, "%.1000s", test ? test : file ? file : "?");
        if (why)
                (void) buf_printf(&text, ": %.100s", why);
        if (line > 0)
                (void) buf_printf(&text, ":%llu", (unsigned long long) line);
        if (line > 0 && lines > 1)
                (void) buf_printf(&text, "-%llu", (unsigned long long) (line + lines - 1));
        if (json_text(item, "check")) /* a remark */
                (void) buf_printf(&text, ": %.300s", json_text(item, "text"));
        return buf_take(&text);
}

char *report_item(const cJSON *item) {
        return cJSON_IsString(item) ? strdup(item->valuestring) : object_text(item);
}

uint64_t report_number(const cJSON *object, const char *name) {
        uint64_t value = 0;

        (void) json_number(object, name, &value);
        return value;
}

const char *report_seconds(uint64_t usec, char *text) {
        (void) snprintf(text, 32, "%llu.%03llu", (unsigned long long) (usec / 1000000),
                        (unsigned long long) (usec / 1000 % 1000));
        return text;
}

const char *report_word(const Report *report) {
        const char *word = json_text(report->verdict, "verdict");

        if (!word)
                word = json_text(report->task, "state");
        return word ? word : "no verdict";
}

const char *report_reason(const Report *report) {
        const char *reason = json_text(report->verdict ? report->verdict : report->task,
                                       report->verdict ? "reason" : "summary");

        return reason && *reason ? reason : NULL;
}

/* ---- events -------------------------------------------------------------------------------------- */

cJSON *report_events(const char *lines) {
        cJSON *list = cJSON_CreateArray();

        while (lines && *lines) {
                size_t n = strcspn(lines, "\n");
                cJSON *event = NULL;

                if (n > 0 && json_parse(lines, n, 0, &event, NULL) == 0)
                        (void) json_push_consume(list, event);
                lines += n + (lines[n] == '\n');
        }
        return list;
}

static bool has_command(const cJSON *list, const char *id) {
        const cJSON *one;

        cJSON_ArrayForEach(one, list) {
                const char *other = json_text(one, "id");

                if (id && other && strcmp(id, other) == 0)
                        return true;
        }
        return false;
}

static void clear(cJSON *list) {
        while (cJSON_GetArraySize(list) > 0)
                cJSON_DeleteItemFromArray(list, 0);
}

/* A run begins with "apply", or again with a command that has been. */
static void take_event(cJSON *list, const cJSON *event) {
        cJSON *data = json_get(event, "data"), *reference;
        const char *phase = json_text(data, "phase");

        if (!phase)
                return;
        if (strcmp(phase, "apply") == 0 ||
            (strcmp(phase, "command") == 0 && has_command(list, json_text(data, "id"))))
                clear(list);
        if (strcmp(phase, "results") != 0)
                return;
        reference = cJSON_CreateObjectReference(data->child);
        (void) json_push_consume(list, reference);
}

int report_gather(Report *report) {
        const cJSON *event;

        report->results = cJSON_CreateArray();
        if (!report->results)
                return -ENOMEM;
        cJSON_ArrayForEach(event, report->events) take_event(report->results, event);
        return 0;
}

void report_deinit(Report *report) {
        report->results = json_free(report->results);
}

/* ---- text ---------------------------------------------------------------------------------------- */

char *report_end_text(const cJSON *command) {
        const char *cause = json_text(command, "cause");
        const cJSON *code = json_get(command, "code"), *hit;
        uint64_t signal = report_number(command, "signal");
        Buf text = BUF_EMPTY(1024);

        (void) buf_printf(&text, "%.32s", cause ? cause : "unknown");
        if (cause && strcmp(cause, "exited") == 0 && cJSON_IsNumber(code))
                (void) buf_printf(&text, " with code %d", code->valueint);
        if (signal)
                (void) buf_printf(&text, " by signal %llu", (unsigned long long) signal);
        cJSON_ArrayForEach(hit, json_get(command, "hits")) {
                if (cJSON_IsString(hit))
                        (void) buf_printf(&text, ", %.16s limit reached", hit->valuestring);
        }
        return buf_take(&text);
}

static const char *line_start(const char *text, const char *at) {
        while (at > text && at[-1] != '\n')
                at--;
        return at;
}

static bool line_has(const char *line, const char *word) {
        size_t n = strcspn(line, "\n");

        return memmem(line, n, word, strlen(word)) != NULL;
}

static bool says_failed(const char *line) {
        static const char *const words[] = {
                "not ok", "FAIL", "fail", "\u2716", "\u2717", "Error"
        };

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (line_has(line, words[i]))
                        return true;
        return false;
}

/* The first line that names the test and says that it failed; else the first that names it. */
static const char *find_line(const char *output, const char *name) {
        const char *first = NULL, *at = output;

        if (!*name)
                return NULL;
        while ((at = strstr(at, name))) {
                const char *line = line_start(output, at);

                if (says_failed(line))
                        return line;
                first = first ? first : line;
                at += strlen(name);
        }
        return first;
}

/* pytest prints what happened below "____ test_name ____", its summary names the file, too. */
static const char *find_section(const char *output, const char *name) {
        const char *leaf = strrchr(name, ':') ? strrchr(name, ':') + 1 : name;
        char title[160];
        const char *at;

        if ((size_t) snprintf(title, sizeof(title), "_ %s _", leaf) >= sizeof(title) || !*leaf)
                return NULL;
        at = strstr(output, title);
        return at ? line_start(output, at) : NULL;
}

static bool begins_another(const char *line, bool section) {
        if (section)
                return strncmp(line, "____", 4) == 0 || strncmp(line, "====", 4) == 0;
        return strncmp(line, "ok ", 3) == 0 || strncmp(line, "not ok ", 7) == 0 ||
               strncmp(line, "1..", 3) == 0;
}

char *report_excerpt(const char *output, const char *name) {
        const char *from = output ? find_section(output, name) : NULL;
        bool section = from != NULL;
        const char *at;

        if (!section && output)
                from = find_line(output, name);
        if (!from)
                return NULL;
        at = from;
        for (unsigned lines = 0; *at && lines < EXCERPT_LINES; lines++) {
                if (lines > 0 && begins_another(at, section))
                        break;
                at += strcspn(at, "\n");
                at += *at == '\n';
                if (at - from > EXCERPT_MAX)
                        break;
        }
        return strndup(from, at - from < EXCERPT_MAX ? (size_t) (at - from) : EXCERPT_MAX);
}

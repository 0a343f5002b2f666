/*
 * verdict: names of tests and files come from the patch and its author, so they are escaped like all
 * that comes from outside.
 */
#include "cli/verdict.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/outcome.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

#define NAMES_SHOWN  8
#define SENTENCE_MAX 600

typedef struct VerdictRow {
        const char *verdict;
        int exit_code;
        Tone tone;
} VerdictRow;

static const VerdictRow rows[] = {
        { "passed", EXIT_VERIFIED, TONE_GOOD },    { "failed", EXIT_NOT_VERIFIED, TONE_BAD },
        { "flaky", EXIT_NOT_VERIFIED, TONE_WARN }, { "tampered", EXIT_TAMPERED, TONE_BAD },
        { "timeout", EXIT_LIMIT, TONE_WARN },      { "error", EXIT_NOT_CARRIED_OUT, TONE_BAD },
};

static const VerdictRow *find_row(const cJSON *verdict) {
        const char *name = json_text(verdict, "verdict");

        for (size_t i = 0; name && i < ELEMENTS(rows); i++)
                if (strcmp(rows[i].verdict, name) == 0)
                        return &rows[i];
        return NULL;
}

/* The supervisor says it where it can: `failed` by a limit is another code than `failed` by a test */
int verdict_exit_code(const cJSON *verdict) {
        const VerdictRow *row = find_row(verdict);
        uint64_t code;

        if (json_number(verdict, "exit", &code) == 0 && code < 256)
                return (int) code;
        return row ? row->exit_code : EXIT_NOT_CARRIED_OUT;
}

const cJSON *verdict_of_task(const cJSON *task) {
        const cJSON *verdicts = json_get(task, "verdicts");

        return cJSON_GetArrayItem(verdicts, cJSON_GetArraySize(verdicts) - 1);
}

void verdict_place(cJSON *verdict, const cJSON *task) {
        const cJSON *origin = json_get(task, "origin");
        static const char *const members[] = { "commit", "changes" };

        for (size_t i = 0; i < ELEMENTS(members); i++) {
                const char *text = json_text(origin, members[i]);

                if (text)
                        json_add_text(verdict, members[i], text);
        }
}

bool verdict_is_about(const cJSON *verdict, const char *digest) {
        const char *judged = json_text(verdict, "patch");

        return judged && digest && strcmp(judged, digest) == 0;
}

static uint64_t number(const cJSON *object, const char *name) {
        uint64_t value = 0;

        (void) json_number(object, name, &value);
        return value;
}

static void begin_row(FILE *to, const char *title) {
        fprintf(to, "  %s%-10s%s", terminal_tone_on(to, TONE_DIM), title,
                terminal_tone_on(to, TONE_PLAIN));
}

static void show_names(FILE *to, const cJSON *verdict, const char *member, const char *title) {
        const cJSON *names = json_get(verdict, member), *name;
        int n = cJSON_GetArraySize(names), shown = 0;

        if (n == 0)
                return;
        begin_row(to, title);
        cJSON_ArrayForEach(name, names) {
                if (shown++ == NAMES_SHOWN) {
                        fprintf(to, ", and %d more", n - NAMES_SHOWN);
                        break;
                }
                fputs(shown > 1 ? ", " : "", to);
                terminal_text(to, cJSON_IsString(name) ? name->valuestring : "?", 120);
        }
        fputc('\n', to);
}

static void show_tests(FILE *to, const cJSON *verdict) {
        const cJSON *tests = json_get(verdict, "tests");

        if (number(tests, "run") + number(tests, "base") == 0)
                return;
        begin_row(to, "tests");
        fprintf(to, "%llu passed, %llu failed, %llu skipped; the base has %llu\n",
                (unsigned long long) number(tests, "passed"),
                (unsigned long long) number(tests, "failed"),
                (unsigned long long) number(tests, "skipped"),
                (unsigned long long) number(tests, "base"));
}

/* As "warder run" says it */
static void show_cause(FILE *to, const cJSON *command) {
        const OutcomeFacts facts = { .name = json_text(command, "id"), .is_verify = true };
        const char *cause = json_text(command, "cause");
        Buf text = BUF_EMPTY(SENTENCE_MAX);

        if (!cause || strcmp(cause, "exited") == 0)
                return;
        outcome_sentence(command, &facts, &text);
        begin_row(to, "");
        terminal_text(to, text.data, SENTENCE_MAX);
        fputc('\n', to);
        buf_deinit(&text);
}

static void show_command(FILE *to, const cJSON *command) {
        const char *cause = json_text(command, "cause");
        char time[UNITS_TEXT_MAX];
        const cJSON *hit;

        begin_row(to, "command");
        terminal_text(to, json_text(command, "id"), 64);
        fputs(": ", to);
        terminal_text(to, cause, 32);
        if (cause && strcmp(cause, "exited") == 0)
                fprintf(to, " %llu", (unsigned long long) number(command, "code"));
        fprintf(to, ", %s", units_format_duration(number(command, "wall_usec"), time));
        cJSON_ArrayForEach(hit, json_get(command, "hits")) if (cJSON_IsString(hit))
                fprintf(to, ", limit reached: %.16s", hit->valuestring);
        fputc('\n', to);
        show_cause(to, command);
}

static void show_digest(FILE *to, const cJSON *verdict, const char *member) {
        const char *digest = json_text(verdict, member);

        if (!digest)
                return;
        begin_row(to, member);
        terminal_text(to, digest, 80);
        fputc('\n', to);
}

static void begin_verdict(FILE *to, const cJSON *verdict) {
        const VerdictRow *row = find_row(verdict);

        fprintf(to, "%s%s", terminal_tone_on(to, row ? row->tone : TONE_BAD),
                terminal_tone_on(to, TONE_BOLD));
        terminal_text(to, row ? row->verdict : "unknown verdict", 32);
        fputs(terminal_tone_on(to, TONE_PLAIN), to);
}

static void end_verdict(FILE *to, const cJSON *verdict) {
        const char *reason = json_text(verdict, "reason");

        if (reason && *reason) {
                fputs(": ", to);
                terminal_text(to, reason, 400);
        }
        fputc('\n', to);
}

/* The lines of a failing command's output; names and counts have rows of their own */
static void show_output(FILE *to, const cJSON *verdict) {
        const char *detail = json_text(verdict, "detail");
        static const char *const heads[] = { "\nThe first failure in the output of ",
                                             "\nLast lines of ", "\nOutput of " };
        const char *output = NULL;

        for (size_t i = 0; detail && !output && i < ELEMENTS(heads); i++)
                output = strstr(detail, heads[i]);
        if (output)
                terminal_lines(to, "  | ", output + 1, 4096);
}

/* Fixes of real projects mostly change a file of tests that is there already */
static void show_way_out(FILE *to, const cJSON *verdict) {
        if (cJSON_GetArraySize(json_get(verdict, "restored")) == 0)
                return;
        begin_row(to, "");
        fputs("a change of tests that is meant: commit it first and name with --expect what must "
              "newly "
              "pass,\n            or review it yourself and take it with --allow GLOB\n",
              to);
}

static void show_hunks(FILE *to, const cJSON *tdd) {
        const cJSON *counts = json_get(tdd, "hunks"), *hunk;

        if (!counts)
                return;
        begin_row(to, "hunks");
        fprintf(to, "%llu of %llu tried: %llu proven, %llu needed, %llu unproven\n",
                (unsigned long long) number(counts, "tried"),
                (unsigned long long) number(counts, "all"),
                (unsigned long long) number(counts, "proven"),
                (unsigned long long) number(counts, "needed"),
                (unsigned long long) number(counts, "unproven"));
        cJSON_ArrayForEach(hunk, json_get(tdd, "unproven")) {
                uint64_t line = number(hunk, "line"), lines = number(hunk, "lines");

                begin_row(to, "unproven");
                terminal_text(to, json_text(hunk, "file"), 200);
                if (line > 0)
                        fprintf(to, ":%llu", (unsigned long long) line);
                if (lines > 1)
                        fprintf(to, "-%llu", (unsigned long long) (line + lines - 1));
                fputc('\n', to);
        }
}

static void show_tdd(FILE *to, const cJSON *tdd) {
        const cJSON *test;

        show_names(to, tdd, "red", "red");
        show_names(to, tdd, "red_commands", "red");
        cJSON_ArrayForEach(test, json_get(tdd, "not_red")) {
                begin_row(to, "not red");
                terminal_text(to, json_text(test, "test"), 120);
                fputs(": ", to);
                terminal_text(to, json_text(test, "why"), 16);
                fputc('\n', to);
        }
        show_names(to, tdd, "old_failing", "old form");
        show_hunks(to, tdd);
}

static void show_held(FILE *to, const cJSON *held) {
        const char *output = json_text(held, "output");
        char tests[UNITS_TEXT_MAX];

        if (!held)
                return;
        begin_row(to, "held back");
        fprintf(to, "%s ran (%llu more than without), %llu failed\n",
                units_format_count(number(held, "run"), "test", tests),
                (unsigned long long) number(held, "more"),
                (unsigned long long) number(held, "failed"));
        show_names(to, held, "failing", "of these");
        if (output)
                terminal_lines(to, "  | ", output, 4096);
}

/* Advice, unless the spec or the workflow vetoes it: the sentence of the verdict says so then */
static void show_remarks(FILE *to, const cJSON *verdict) {
        const cJSON *remarks = json_get(verdict, "remarks"), *remark;
        int n = cJSON_GetArraySize(remarks), shown = 0;

        cJSON_ArrayForEach(remark, remarks) {
                uint64_t line = number(remark, "line");

                begin_row(to, "remark");
                if (shown++ == NAMES_SHOWN) {
                        fprintf(to, "and %d more\n", n - NAMES_SHOWN);
                        return;
                }
                terminal_text(to, json_text(remark, "check"), 16);
                fputs(", ", to);
                terminal_text(to, json_text(remark, "file"), 200);
                if (line > 0)
                        fprintf(to, ":%llu", (unsigned long long) line);
                fputs(": ", to);
                terminal_text(to, json_text(remark, "text"), 300);
                fputc('\n', to);
        }
}

void verdict_show(FILE *to, const cJSON *verdict) {
        const cJSON *command;

        begin_verdict(to, verdict);
        end_verdict(to, verdict);
        show_tests(to, verdict);
        show_names(to, verdict, "failing", "failing");
        show_names(to, verdict, "missing", "missing");
        show_names(to, verdict, "newly_skipped", "skipped");
        show_names(to, verdict, "restored", "restored");
        show_names(to, verdict, "dangerous", "dangerous");
        show_way_out(to, verdict);
        show_names(to, verdict, "new_tests", "new tests");
        show_remarks(to, verdict);
        cJSON_ArrayForEach(command, json_get(verdict, "commands")) show_command(to, command);
        show_digest(to, verdict, "patch");
        show_digest(to, verdict, "tree");
        show_tdd(to, json_get(verdict, "tdd"));
        show_output(to, verdict);
        show_held(to, json_get(verdict, "held"));
}

void verdict_line(FILE *to, const cJSON *verdict) {
        const cJSON *tests = json_get(verdict, "tests");

        fprintf(to, "verdict %llu: ", (unsigned long long) number(verdict, "n"));
        begin_verdict(to, verdict);
        if (number(tests, "run") > 0)
                fprintf(to, ", %llu of %llu tests pass",
                        (unsigned long long) number(tests, "passed"),
                        (unsigned long long) number(tests, "run"));
        end_verdict(to, verdict);
}

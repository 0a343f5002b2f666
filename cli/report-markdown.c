/*
 * report-markdown: text from outside stands in code spans and fenced blocks alone (page.h): there it is no
 * markup, no HTML, no link, no mention and no image, whoever renders it.
 */
#include "cli/report-markdown.h"

#include <string.h>

#include "base/units.h"
#include "cli/budgets.h"
#include "cli/page.h"

#define NAMES_SHOWN  50
#define OUTPUT_SHOWN 6000

static const struct {
        const char *word, *sign;
} signs[] = {
        { "passed", "✅" },   { "verified", "✅" },   { "failed", "❌" },       { "unverified", "❌" },
        { "tampered", "🚫" }, { "flaky", "⚠️" }, { "timeout", "⏱️" }, { "limit", "⏱️" },
};

static const char *sign_of(const char *word) {
        for (size_t i = 0; i < ELEMENTS(signs); i++)
                if (strcmp(signs[i].word, word) == 0)
                        return signs[i].sign;
        return "⚠️";
}

static void add_head(Page *page, const Report *report) {
        const char *word = report_word(report), *reason = report_reason(report);
        const char *state = json_text(report->task, "state");
        const char *cause = json_text(report->task, "cause");

        page_printf(page, "## %s warder: ", sign_of(word));
        page_code(page, word, 32);
        page_raw(page, "\n\n");
        if (reason) {
                page_code(page, reason, 600);
                page_raw(page, "\n\n");
        }
        if (state) {
                page_raw(page, "Task ");
                page_code(page, json_text(report->task, "task"), 16);
                page_raw(page, " is ");
                page_code(page, state, 32);
                if (cause) {
                        page_raw(page, ", cause ");
                        page_code(page, cause, 64);
                }
                page_raw(page, "\n\n");
        }
}

static void add_counts(Page *page, const cJSON *tests) {
        if (report_number(tests, "run") + report_number(tests, "base") == 0)
                return;
        page_printf(page,
                    "| passed | failed | skipped | on the base |\n|---:|---:|---:|---:|\n"
                    "| %llu | %llu | %llu | %llu |\n\n",
                    (unsigned long long) report_number(tests, "passed"),
                    (unsigned long long) report_number(tests, "failed"),
                    (unsigned long long) report_number(tests, "skipped"),
                    (unsigned long long) report_number(tests, "base"));
}

static void add_list(Page *page, const Report *report, const ReportList *list) {
        const cJSON *names = json_at(report->verdict, list->member), *name;
        int n = cJSON_GetArraySize(names), shown = 0;

        if (n == 0)
                return;
        page_printf(page, "**%s** (%d)\n\n", list->title, n);
        cJSON_ArrayForEach(name, names) {
                autofree char *item = report_item(name);

                if (shown++ == NAMES_SHOWN) {
                        page_printf(page, "- and %d more\n", n - NAMES_SHOWN);
                        break;
                }
                page_raw(page, "- ");
                page_code(page, item, 300);
                page_raw(page, "\n");
        }
        page_raw(page, "\n");
}

static void add_commands(Page *page, const cJSON *verdict) {
        const cJSON *commands = json_get(verdict, "commands"), *command;

        if (cJSON_GetArraySize(commands) == 0)
                return;
        page_raw(page, "| command | ended | time |\n|---|---|---:|\n");
        cJSON_ArrayForEach(command, commands) {
                autofree char *end = report_end_text(command);
                char time[UNITS_TEXT_MAX];

                page_raw(page, "| ");
                page_cell(page, json_text(command, "id"), 64);
                page_raw(page, " | ");
                page_cell(page, end, 200);
                page_printf(page, " | %s |\n",
                            units_format_duration(report_number(command, "wall_usec"), time));
        }
        page_raw(page, "\n");
}

static const cJSON *first_bad(const Report *report) {
        const cJSON *command;

        cJSON_ArrayForEach(command, report->results) {
                const char *cause = json_text(command, "cause");
                const cJSON *code = json_get(command, "code");

                if (!cause || strcmp(cause, "exited") != 0 ||
                    (cJSON_IsNumber(code) && code->valueint != 0))
                        return command;
        }
        return NULL;
}

/* The end says most; from the start of a line. */
static void add_output(Page *page, const Report *report) {
        const cJSON *command = first_bad(report);
        const char *output = json_text(command, "output");
        size_t n = output ? strlen(output) : 0;

        if (n == 0)
                return;
        if (n > OUTPUT_SHOWN) {
                output += n - OUTPUT_SHOWN;
                output += strcspn(output, "\n");
                output += *output == '\n';
        }
        page_raw(page, "Output of ");
        page_code(page, json_text(command, "id"), 64);
        page_raw(page, ":\n\n");
        page_fence(page, output);
        page_raw(page, "\n");
}

/* What is said of it here is digits, and a currency of letters */
static void add_cost(Page *page, const cJSON *task) {
        char used[BUDGET_TEXT_MAX], most[BUDGET_TEXT_MAX];
        Budget budget;

        if (budget_read(json_get(json_get(task, "used"), "money"), &budget) < 0)
                return;
        page_printf(page, "The model cost %s of %s.\n\n",
                    money_format_short(budget.used, NULL, used),
                    budget_value(&budget, budget.most, most));
}

static void add_digests(Page *page, const cJSON *verdict) {
        static const char *const names[] = { "patch", "tree" };

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                const char *value = json_text(verdict, names[i]);

                if (!value)
                        continue;
                page_printf(page, "%s%s ", i ? ", " : "", names[i]);
                page_code(page, value, 80);
        }
        page_raw(page, "\n");
}

char *report_markdown(const Report *report) {
        Page page = PAGE_EMPTY;

        add_head(&page, report);
        add_counts(&page, json_get(report->verdict, "tests"));
        for (const ReportList *list = report_lists; list->member; list++)
                add_list(&page, report, list);
        add_commands(&page, report->verdict);
        if (strcmp(report_word(report), "passed") != 0)
                add_output(&page, report);
        add_cost(&page, report->task);
        add_digests(&page, report->verdict);
        return page_take(&page);
}

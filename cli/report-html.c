/*
 * report-html: the frame, the verdict and the lists. Text from outside goes through page_text() or page_line()
 * alone. Should one place ever forget it, the page's own policy still stands: it allows no script, no style but
 * the one whose SHA-256 it names, no image, no frame, no form, no connection.
 */
#include "cli/report-html.h"

#include <string.h>

#include "base/sha256.h"
#include "base/units.h"
#include "cli/budgets.h"
#include "cli/report-css.h"
#include "cli/report-curves.h"
#include "cli/report-diff.h"
#include "cli/report-time.h"

#define NAMES_SHOWN 400

static const struct {
        const char *word, *tone;
} tones[] = {
        { "passed", "good" },    { "verified", "good" }, { "exited", "good" },
        { "failed", "bad" },     { "tampered", "bad" },  { "unverified", "bad" },
        { "cancelled", "warn" },
};

const char *report_tone(const char *word) {
        for (size_t i = 0; word && i < ELEMENTS(tones); i++)
                if (strcmp(tones[i].word, word) == 0)
                        return tones[i].tone;
        return "warn";
}

static void begin(Page *page, const Report *report) {
        char hash[SHA256_TEXT_MAX];

        page_printf(page,
                    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                    "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"
                    "<meta name=\"referrer\" content=\"no-referrer\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>warder: ",
                    sha256_base64(REPORT_CSS, strlen(REPORT_CSS), hash));
        page_line(page, report_word(report), 64);
        page_raw(page, "</title>\n<style>" REPORT_CSS "</style>\n</head>\n<body>\n<main>\n");
}

static void tile(Page *page, const char *name, uint64_t value) {
        page_printf(page, "<div class=\"tile\"><b>%llu</b><span>%s</span></div>\n",
                    (unsigned long long) value, name);
}

static void add_tiles(Page *page, const Report *report) {
        const cJSON *tests = json_get(report->verdict, "tests"), *command;
        char time[UNITS_TEXT_MAX];
        uint64_t wall = 0;

        cJSON_ArrayForEach(command, json_get(report->verdict, "commands")) {
                wall += report_number(command, "wall_usec");
        }
        page_raw(page, "<div class=\"tiles\">\n");
        if (report_number(tests, "run") + report_number(tests, "base") > 0) {
                tile(page, "tests passed", report_number(tests, "passed"));
                tile(page, "failed", report_number(tests, "failed"));
                tile(page, "skipped", report_number(tests, "skipped"));
                tile(page, "on the base", report_number(tests, "base"));
        }
        if (report_number(report->verdict, "runs") > 1)
                tile(page, "runs", report_number(report->verdict, "runs"));
        if (wall > 0)
                page_printf(page, "<div class=\"tile\"><b>%s</b><span>test commands</span></div>\n",
                            units_format_duration(wall, time));
        page_raw(page, "</div>\n");
}

static void add_head(Page *page, const Report *report) {
        const char *word = report_word(report), *request = json_text(report->task, "request");
        const char *reason = report_reason(report);
        const char *state = json_text(report->task, "state");

        page_printf(page, "<header class=\"%s\">\n<h1>", report_tone(word));
        page_raw(page, "<small>warder says</small>");
        page_line(page, word, 64);
        page_raw(page, "</h1>\n");
        if (reason) {
                page_raw(page, "<p>");
                page_text(page, reason);
                page_raw(page, "</p>\n");
        }
        if (state) {
                page_printf(page, "<p>Task <code>");
                page_line(page, json_text(report->task, "task"), 32);
                page_printf(page, "</code> <span class=\"badge %s\">", report_tone(state));
                page_line(page, state, 32);
                page_raw(page, "</span></p>\n");
        }
        if (request) {
                page_raw(page, "<p class=\"dim\">");
                page_line(page, request, 1000);
                page_raw(page, "</p>\n");
        }
        add_tiles(page, report);
        page_raw(page, "</header>\n");
}

/* ---- tests --------------------------------------------------------------------------------------- */

static char *excerpt_of(const Report *report, const char *name) {
        const cJSON *command;

        cJSON_ArrayForEach(command, report->results) {
                const cJSON *failed;

                cJSON_ArrayForEach(failed, json_at(command, "/tests/failed")) {
                        if (cJSON_IsString(failed) && strcmp(failed->valuestring, name) == 0)
                                return report_excerpt(json_text(command, "output"), name);
                }
        }
        return NULL;
}

static void add_name(Page *page, const Report *report, const char *name, bool failing) {
        autofree char *excerpt = failing ? excerpt_of(report, name) : NULL;

        if (!excerpt) {
                page_raw(page, "<li><code>");
                page_line(page, name, 600);
                page_raw(page, "</code></li>\n");
                return;
        }
        page_raw(page, "<li><details><summary><code>");
        page_line(page, name, 600);
        page_raw(page, "</code></summary><pre>");
        page_text(page, excerpt);
        page_raw(page, "</pre></details></li>\n");
}

static void add_list(Page *page, const Report *report, const ReportList *list) {
        const cJSON *names = json_at(report->verdict, list->member), *name;
        int n = cJSON_GetArraySize(names), shown = 0;

        if (n == 0)
                return;
        page_printf(page, "<h3>%s <span class=\"badge %s\">%d</span></h3>\n<ul class=\"%s\">\n",
                    list->title, list->bad || list->fails ? "bad" : "", n,
                    list->fails ? "open" : "");
        cJSON_ArrayForEach(name, names) {
                autofree char *item = report_item(name);

                if (shown++ == NAMES_SHOWN) {
                        page_printf(page, "<li>and %d more</li>\n", n - NAMES_SHOWN);
                        break;
                }
                if (item)
                        add_name(page, report, item, list->fails);
        }
        page_raw(page, "</ul>\n");
}

static bool has_lists(const cJSON *verdict) {
        for (const ReportList *list = report_lists; list->member; list++)
                if (cJSON_GetArraySize(json_at(verdict, list->member)) > 0)
                        return true;
        return false;
}

/* What a run said that the agent does not see, and the parts that were tried one by one */
static void add_proof(Page *page, const cJSON *verdict) {
        const cJSON *hunks = json_at(verdict, "/tdd/hunks"), *held = json_get(verdict, "held");
        const char *output = json_text(held, "output");

        if (hunks)
                page_printf(
                        page,
                        "<p>Test first: %llu of %llu parts of the change were taken away one by "
                        "one; %llu are proven by a test, without %llu nothing runs, %llu are "
                        "unproven.</p>\n",
                        (unsigned long long) report_number(hunks, "tried"),
                        (unsigned long long) report_number(hunks, "all"),
                        (unsigned long long) report_number(hunks, "proven"),
                        (unsigned long long) report_number(hunks, "needed"),
                        (unsigned long long) report_number(hunks, "unproven"));
        if (held)
                page_printf(page,
                            "<p>With the tests that were held back %llu tests ran, %llu more than "
                            "without; %llu failed.</p>\n",
                            (unsigned long long) report_number(held, "run"),
                            (unsigned long long) report_number(held, "more"),
                            (unsigned long long) report_number(held, "failed"));
        if (output) {
                page_raw(page, "<details><summary>Their output</summary><pre>");
                page_text(page, output);
                page_raw(page, "</pre></details>\n");
        }
}

static void add_tests(Page *page, const Report *report) {
        if (!has_lists(report->verdict) && !json_get(report->verdict, "tdd") &&
            !json_get(report->verdict, "held"))
                return;
        page_raw(page, "<section>\n<h2>What the gate found</h2>\n");
        for (const ReportList *list = report_lists; list->member; list++)
                add_list(page, report, list);
        add_proof(page, report->verdict);
        page_raw(page, "</section>\n");
}

/* ---- commands ------------------------------------------------------------------------------------ */

static void add_names(Page *page, const cJSON *names, const char *title, const char *tone) {
        const cJSON *name;
        int n = cJSON_GetArraySize(names), shown = 0;

        if (n == 0)
                return;
        page_printf(page, "<details><summary><span class=\"badge %s\">%d</span> %s</summary><pre>",
                    tone, n, title);
        cJSON_ArrayForEach(name, names) {
                if (cJSON_IsString(name))
                        page_line(page, name->valuestring, 600);
                page_raw(page, "\n");
                if (++shown == 10 * NAMES_SHOWN)
                        break;
        }
        page_raw(page, "</pre></details>\n");
}

static void add_command(Page *page, const cJSON *command) {
        const char *output = json_text(command, "output"), *cause = json_text(command, "cause");
        const cJSON *code = json_get(command, "code");
        bool fine = cause && strcmp(cause, "exited") == 0 && cJSON_IsNumber(code) &&
                    code->valueint == 0;
        autofree char *end = report_end_text(command);
        char time[UNITS_TEXT_MAX];

        page_raw(page, "<h3><code>");
        page_line(page, json_text(command, "id"), 64);
        page_printf(page, "</code> <span class=\"badge %s\">", fine ? "good" : "bad");
        page_line(page, end, 200);
        page_printf(page, "</span> <span class=\"dim\">%s</span></h3>\n",
                    units_format_duration(report_number(command, "wall_usec"), time));
        add_names(page, json_at(command, "/tests/failed"), "failed", "bad");
        add_names(page, json_at(command, "/tests/skipped"), "skipped", "warn");
        add_names(page, json_at(command, "/tests/passed"), "passed", "good");
        if (output) {
                page_printf(page, "<details%s><summary>Output</summary><pre>", fine ? "" : " open");
                page_text(page, output);
                page_raw(page, "</pre></details>\n");
        }
        report_chart(page, command);
}

static void add_commands(Page *page, const Report *report) {
        const cJSON *command;

        if (cJSON_GetArraySize(report->results) == 0)
                return;
        page_raw(page, "<section>\n<h2>Test commands</h2>\n");
        cJSON_ArrayForEach(command, report->results) add_command(page, command);
        page_raw(page, "</section>\n");
}

/* ---- the rest ------------------------------------------------------------------------------------ */

static void add_value(Page *page, const Budget *budget, uint64_t value) {
        char text[BUDGET_TEXT_MAX];

        page_raw(page, "</td><td class=\"n\">");
        page_raw(page, budget_value(budget, value, text));
}

static void add_used(Page *page, const cJSON *used) {
        const cJSON *pair;
        Budget budget;

        if (cJSON_GetArraySize(used) == 0)
                return;
        page_raw(page,
                 "<section>\n<h2>Budgets</h2>\n<div class=\"scroll\"><table>\n"
                 "<tr><th>budget</th><th class=\"n\">used</th><th class=\"n\">of</th></tr>\n");
        cJSON_ArrayForEach(pair, used) {
                if (budget_read(pair, &budget) < 0)
                        continue;
                page_raw(page, "<tr><td>");
                page_line(page, budget.name, 64);
                add_value(page, &budget, budget.used);
                add_value(page, &budget, budget.most);
                page_raw(page, "</td></tr>\n");
        }
        page_raw(page, "</table></div>\n</section>\n");
}

static void add_digests(Page *page, const cJSON *verdict) {
        static const char *const names[] = { "patch",  "tree",   "spec",   "snapshot",
                                             "policy", "digest", "receipt" };

        if (!verdict)
                return;
        page_raw(page, "<section>\n<h2>What this verdict is about</h2>\n<dl>\n");
        for (size_t i = 0; i < ELEMENTS(names); i++) {
                const char *value = json_text(verdict, names[i]);

                if (!value)
                        continue;
                page_printf(page, "<dt>%s</dt><dd class=\"mono\">", names[i]);
                page_line(page, value, 200);
                page_raw(page, "</dd>\n");
        }
        page_raw(page, "</dl>\n</section>\n");
}

char *report_html(const Report *report) {
        Page page = PAGE_EMPTY;
        char now[UNITS_TEXT_MAX];

        begin(&page, report);
        add_head(&page, report);
        add_tests(&page, report);
        add_commands(&page, report);
        report_timeline(&page, report);
        report_diff(&page, report);
        add_used(&page, json_get(report->task, "used"));
        add_digests(&page, report->verdict);
        page_printf(&page, "<footer>made by warder %s on %s</footer>\n", report->version,
                    units_format_time(units_now(), now));
        page_raw(&page, "</main>\n</body>\n</html>\n");
        return page_take(&page);
}

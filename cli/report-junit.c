/*
 * report-junit: one suite a command, one case a test, and a suite "warder" for what the gate itself has to say:
 * the verdict, tests that are missing or skipped, files that were put back. So a page shows why a job failed
 * although every test passed. The form is what the readers of Jenkins, GitLab and GitHub actions share: attributes
 * name, tests, failures, errors, skipped, time; classname, name; properties first, system-out and system-err last.
 *
 * Counts are those of the cases that stand in the file: readers compare.
 */
#include "cli/report-junit.h"

#include <string.h>

#include "base/units.h"
#include "cli/page.h"

#define NAME_MAX_BYTES 500
#define TEXT_MAX       4000

typedef struct Counts {
        unsigned tests, failures, errors, skipped;
} Counts;

static void add_counts(Counts *sum, const Counts *more) {
        sum->tests += more->tests;
        sum->failures += more->failures;
        sum->errors += more->errors;
        sum->skipped += more->skipped;
}

static void begin_case(Page *page, Counts *counts, const char *class, const char *name) {
        counts->tests++;
        page_raw(page, "    <testcase classname=\"");
        page_line(page, class, NAME_MAX_BYTES);
        page_raw(page, "\" name=\"");
        page_line(page, name, NAME_MAX_BYTES);
        page_raw(page, "\"");
}

/* @kind: "failure", "error" */
static void add_fault(Page *page, const char *kind, const char *type, const char *message,
                      const char *text) {
        page_printf(page, ">\n      <%s type=\"", kind);
        page_line(page, type, 64);
        page_raw(page, "\" message=\"");
        page_line(page, message, NAME_MAX_BYTES);
        page_raw(page, "\">");
        page_text_n(page, text ? text : "", text ? strnlen(text, TEXT_MAX) : 0);
        page_printf(page, "</%s>\n    </testcase>\n", kind);
}

/* ---- a command ----------------------------------------------------------------------------------- */

static void add_failed(Page *page, Counts *counts, const cJSON *command) {
        const char *id = json_text(command, "id"), *output = json_text(command, "output");
        const cJSON *name;

        cJSON_ArrayForEach(name, json_at(command, "/tests/failed")) {
                autofree char *text = NULL;

                if (!cJSON_IsString(name))
                        continue;
                text = report_excerpt(output, name->valuestring);
                begin_case(page, counts, id, name->valuestring);
                counts->failures++;
                add_fault(page, "failure", "failed", name->valuestring, text);
        }
}

static void add_others(Page *page, Counts *counts, const cJSON *command) {
        const char *id = json_text(command, "id");
        const cJSON *name;

        cJSON_ArrayForEach(name, json_at(command, "/tests/skipped")) {
                if (!cJSON_IsString(name))
                        continue;
                begin_case(page, counts, id, name->valuestring);
                counts->skipped++;
                page_raw(page, ">\n      <skipped/>\n    </testcase>\n");
        }
        cJSON_ArrayForEach(name, json_at(command, "/tests/passed")) {
                if (!cJSON_IsString(name))
                        continue;
                begin_case(page, counts, id, name->valuestring);
                page_raw(page, "/>\n");
        }
}

/* The command itself is a case where it names no tests, or ended in a way that no test explains. */
static void add_command(Page *page, Counts *counts, const cJSON *command) {
        const char *id = json_text(command, "id"), *cause = json_text(command, "cause");
        const cJSON *code = json_get(command, "code");
        bool exited = cause && strcmp(cause, "exited") == 0;
        bool fine = exited && cJSON_IsNumber(code) && code->valueint == 0;
        autofree char *end = report_end_text(command);

        if (counts->tests > 0 && (fine || (exited && counts->failures > 0)))
                return;
        begin_case(page, counts, "warder.command", id);
        if (fine) {
                page_raw(page, "/>\n");
        } else if (exited) {
                counts->failures++;
                add_fault(page, "failure", "exited", end, json_text(command, "output"));
        } else {
                counts->errors++;
                add_fault(page, "error", cause ? cause : "unknown", end,
                          json_text(command, "output"));
        }
}

static void add_tail(Page *page, const cJSON *command, const Counts *counts) {
        uint64_t all = report_number(command, "passed") + report_number(command, "failed") +
                       report_number(command, "skipped");
        const char *output = json_text(command, "output");
        autofree char *end = report_end_text(command);

        if (output) {
                page_raw(page, "    <system-out>");
                page_text(page, output);
                page_raw(page, "</system-out>\n");
        }
        page_raw(page, "    <system-err>cause: ");
        page_text(page, end);
        if (all > counts->tests)
                page_printf(page,
                            "\n%llu tests in all; those that are not here have no name, or no room",
                            (unsigned long long) all);
        page_raw(page, "</system-err>\n");
}

static void begin_suite(Page *page, const char *name, const Counts *counts, uint64_t usec) {
        char seconds[32];

        page_raw(page, "  <testsuite name=\"");
        page_line(page, name, NAME_MAX_BYTES);
        page_printf(page,
                    "\" tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%s\">\n",
                    counts->tests, counts->failures, counts->errors, counts->skipped,
                    report_seconds(usec, seconds));
}

/* Cases are written first: their counts stand before them. */
static void add_suite(Page *page, const cJSON *command, Counts *sum) {
        Page cases = PAGE_EMPTY;
        Counts counts = { 0 };

        add_failed(&cases, &counts, command);
        add_others(&cases, &counts, command);
        add_command(&cases, &counts, command);
        begin_suite(page, json_text(command, "id"), &counts, report_number(command, "wall_usec"));
        page->r = page->r ? page->r : cases.r;
        page_raw(page, cases.buf.data ? cases.buf.data : "");
        add_tail(page, command, &counts);
        page_raw(page, "  </testsuite>\n");
        add_counts(sum, &counts);
        page_deinit(&cases);
}

/* ---- the gate ------------------------------------------------------------------------------------ */

static void add_list(Page *page, Counts *counts, const cJSON *verdict, const ReportList *list) {
        const char *word = json_text(verdict, "verdict");
        const cJSON *name;

        if (!list->bad || (word && strcmp(word, "passed") == 0))
                return;
        cJSON_ArrayForEach(name, json_at(verdict, list->member)) {
                autofree char *item = report_item(name);

                if (!item)
                        continue;
                begin_case(page, counts, "warder.gate", item);
                counts->failures++;
                add_fault(page, "failure", list->bad, list->title, NULL);
        }
}

static void add_verdict(Page *page, Counts *counts, const Report *report) {
        const char *word = report_word(report), *reason = report_reason(report);
        const char *cause = json_text(report->verdict ? report->verdict : report->task, "cause");
        bool error = strcmp(word, "error") == 0 || !report->verdict;

        begin_case(page, counts, "warder.gate", "verdict");
        if (strcmp(word, "passed") == 0) {
                page_raw(page, "/>\n");
                return;
        }
        counts->errors += error;
        counts->failures += !error;
        add_fault(page, error ? "error" : "failure", cause ? cause : word, reason ? reason : word,
                  NULL);
}

static void add_properties(Page *page, const Report *report) {
        static const char *const names[] = { "verdict", "task",     "patch",  "tree",
                                             "spec",    "snapshot", "policy", "digest" };

        page_raw(page, "    <properties>\n");
        for (size_t i = 0; i < ELEMENTS(names); i++) {
                const char *value = json_text(report->verdict, names[i]);

                if (!value)
                        continue;
                page_printf(page, "      <property name=\"warder.%s\" value=\"", names[i]);
                page_line(page, value, NAME_MAX_BYTES);
                page_raw(page, "\"/>\n");
        }
        page_raw(page, "    </properties>\n");
}

static void add_gate(Page *page, const Report *report, Counts *sum) {
        Page cases = PAGE_EMPTY;
        Counts counts = { 0 };

        add_verdict(&cases, &counts, report);
        for (const ReportList *list = report_lists; list->member; list++)
                add_list(&cases, &counts, report->verdict, list);
        begin_suite(page, "warder", &counts, 0);
        add_properties(page, report);
        page->r = page->r ? page->r : cases.r;
        page_raw(page, cases.buf.data ? cases.buf.data : "");
        page_raw(page, "  </testsuite>\n");
        add_counts(sum, &counts);
        page_deinit(&cases);
}

char *report_junit(const Report *report) {
        Page page = PAGE_EMPTY, suites = PAGE_EMPTY;
        Counts sum = { 0 };
        const cJSON *command;
        uint64_t usec = 0;
        char seconds[32];

        add_gate(&suites, report, &sum);
        cJSON_ArrayForEach(command, report->results) {
                usec += report_number(command, "wall_usec");
                add_suite(&suites, command, &sum);
        }
        page_printf(&page,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"warder\" "
                    "tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%s\">\n",
                    sum.tests, sum.failures, sum.errors, sum.skipped,
                    report_seconds(usec, seconds));
        page.r = page.r ? page.r : suites.r;
        page_raw(&page, suites.buf.data ? suites.buf.data : "");
        page_raw(&page, "</testsuites>\n");
        page_deinit(&suites);
        return page_take(&page);
}

/* page, report: text from outside in XML, HTML and Markdown; events, excerpts */
#include "cli/page.h"

#include <stdlib.h>

#include "cli/report-html.h"
#include "cli/report-junit.h"
#include "cli/report-markdown.h"
#include "tests/tap.h"

static char *of_text(const char *text, size_t n) {
        Page page = PAGE_EMPTY;

        page_text_n(&page, text, n);
        return page_take(&page);
}

static void check_text(const char *text, size_t n, const char *want, const char *what) {
        char *got = of_text(text, n);

        is_text(got, want, what);
        free(got);
}

static void test_text(void) {
        check_text("a<b>&\"'", 7, "a&lt;b&gt;&amp;&quot;&#39;", "the five");
        check_text("a\n\tb", 4, "a\n\tb", "lines and tabs stay");
        check_text("\x1b[31m\0\x7f", 7, "\\x1b[31m\\x00\\x7f", "control bytes");
        check_text("\xff\xc0\x80", 3, "\\xff\\xc0\\x80", "what is no UTF-8");
        check_text("\xef\xbf\xbe\xef\xbf\xbf", 6, "\\ufffe\\uffff", "no characters of XML");
        check_text("\xf0\x9f\xbf\xbe.", 5, "\\u1fffe.", "nor those of other planes");
        check_text("\xe2\x80\xae", 3, "\\xe2\\x80\\xae", "what turns text round");
        check_text("\xc3\xa4\xf0\x9f\x99\x82", 6, "\xc3\xa4\xf0\x9f\x99\x82",
                   "letters and signs stay");
        check_text("", 0, "", "nothing");
}

static char *of_code(const char *text, bool cell) {
        Page page = PAGE_EMPTY;

        (cell ? page_cell : page_code)(&page, text, 40);
        return page_take(&page);
}

static void check_code(const char *text, const char *want, const char *what) {
        char *got = of_code(text, false);

        is_text(got, want, what);
        free(got);
}

static void test_code(void) {
        char *got;

        check_code("plain", "`plain`", "a code span");
        check_code("a ` b", "`` a ` b ``", "a backtick makes the fence longer");
        check_code("``", "``` `` ```", "so do two");
        check_code("a\nb", "`a\\x0ab`", "lines are one");
        check_code("", "` `", "nothing");
        check_code("a|b", "`a|b`", "a pipe");
        got = of_code("a|b", true);
        is_text(got, "`a\\|b`", "a pipe in a table");
        free(got);
}

static void test_fence(void) {
        Page page = PAGE_EMPTY;
        char *got;

        page_fence(&page, "x\n````\n</details>");
        got = page_take(&page);
        is_text(got, "`````text\nx\n````\n</details>\n`````\n",
                "a block whose fence is longer than any in it");
        free(got);
}

static void test_full(void) {
        Page page = { .buf = BUF_EMPTY(10) };
        char *got;

        page_raw(&page, "12345678");
        page_raw(&page, "12345678");
        page_raw(&page, "1");
        got = page_take(&page);
        ok(!got, "what does not fit fails the whole page");
        free(got);
}

static void check_excerpt(const char *output, const char *name, const char *want,
                          const char *what) {
        char *got = report_excerpt(output, name);

        is_text(got, want, what);
        free(got);
}

static void test_excerpt(void) {
        static const char tap[] = "ok 1 - a\nnot ok 2 - b\n# got 1\n# want 2\nok 3 - b again\n";
        static const char py[] =
                "____ test_a ____\nboom\n____ test_b ____\nbang\n==== summary ====\n"
                "FAILED tests/t.py::test_b - bang\n";

        check_excerpt(tap, "b", "not ok 2 - b\n# got 1\n# want 2\n", "of TAP");
        check_excerpt(py, "tests/t.py::test_b", "____ test_b ____\nbang\n", "of pytest");
        check_excerpt(tap, "nowhere", NULL, "of a test that is not in it");
        check_excerpt(tap, "", NULL, "of a test without a name");
        check_excerpt(NULL, "b", NULL, "of no output");
}

static void test_events(void) {
        static const char lines[] =
                "{\"event\":\"notice\",\"data\":{\"phase\":\"apply\"}}\nno json\n"
                "{\"event\":\"notice\",\"data\":{\"phase\":\"results\",\"id\":\"a\",\"code\":1}}\n"
                "{\"event\":\"notice\",\"data\":{\"phase\":\"command\",\"id\":\"a\"}}\n"
                "{\"event\":\"notice\",\"data\":{\"phase\":\"results\",\"id\":\"a\",\"code\":0}}\n"
                "{\"event\":\"notice\"}\n[]\n";
        Report report = { .version = "1", .patch = "" };
        cJSON *events = report_events(lines);
        char *texts[3];

        report.events = events;
        is_number(report_gather(&report), 0, "events are gathered");
        is_number(cJSON_GetArraySize(report.results), 1, "a command that ran again counts once");
        is_number(cJSON_GetNumberValue(json_at(report.results, "/0/code")), 0, "as it ended last");
        texts[0] = report_junit(&report);
        texts[1] = report_markdown(&report);
        texts[2] = report_html(&report);
        for (int i = 0; i < 3; i++) {
                ok(texts[i] != NULL, "a report without a verdict, form %d", i);
                free(texts[i]);
        }
        report_deinit(&report);
        json_free(events);
}

/* Failing tests stand out: the tone of the count, and a list that is open. */
static void test_failing(void) {
        static const char text[] =
                "{\"verdict\":\"failed\",\"failing\":[\"t1\"],\"new_tests\":[\"t2\"]}";
        cJSON *verdict = NULL;
        Report report = { .version = "1", .patch = "" };
        char *page;

        is_number(json_parse(text, strlen(text), 0, &verdict, NULL), 0, "a verdict with lists");
        report.verdict = verdict;
        page = report_html(&report);
        has_text(page, "Failing tests <span class=\"badge bad\">1</span></h3>\n<ul class=\"open\">",
                 "failing tests are marked");
        has_text(page, "New tests <span class=\"badge \">1</span></h3>\n<ul class=\"\">",
                 "new ones are not");
        json_free(verdict);
        free(page);
}

static void test_proof(void) {
        static const char text[] =
                "{\"verdict\":\"failed\",\"reason\":\"r\",\"tdd\":{\"red\":[\"t1\"],\"not_red\":[{"
                "\"test\":"
                "\"t<2>\",\"why\":\"passes\"}],\"unproven\":[{\"file\":\"a.c\",\"line\":7,"
                "\"lines\":3}],"
                "\"hunks\":{\"all\":4,\"tried\":3,\"proven\":1,\"needed\":1,\"unproven\":1}},"
                "\"held\":{\"run\":9,\"more\":2,\"failed\":1,\"failing\":[\"h1\"],\"output\":\"<o>"
                "\"}}";
        cJSON *verdict = NULL;
        Report report = { .version = "1", .patch = "" };
        char *page, *junit, *summary;

        is_number(json_parse(text, strlen(text), 0, &verdict, NULL), 0, "a verdict with proofs");
        report.verdict = verdict;
        is_number(report_gather(&report), 0, "a report of it");
        page = report_html(&report);
        has_text(page, "t&lt;2&gt;: passes", "a test that is not red, with the reason");
        has_text(page, "a.c:7-9", "a part that is unproven");
        has_text(page, "3 of 4 parts", "the counts of parts");
        has_text(page, "9 tests ran, 2 more", "held-back tests");
        has_text(page, "&lt;o&gt;", "their output, escaped");
        junit = report_junit(&report);
        has_text(junit, "<failure type=\"overfitted\"", "a held-back test is a failure in JUnit");
        has_text(junit, "name=\"a.c:7-9\"", "so is a part that is unproven");
        summary = report_markdown(&report);
        has_text(summary, "`t<2>: passes`", "the summary names them");
        report_deinit(&report);
        json_free(verdict);
        free(page);
        free(junit);
        free(summary);
}

int main(void) {
        test_text();
        test_code();
        test_fence();
        test_full();
        test_excerpt();
        test_events();
        test_failing();
        test_proof();
        return tap_end();
}

/*
 * report: what a hostile project can put into a report, and what a fallen warder-files says of a patch. Input: a
 * verdict, the events and a patch, each ended by a 0 byte; or, behind the letter R, the answer of patch.read.
 * In no form may an element stand that is not ours, nor a character that XML does not know.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/danger.h"
#include "base/escape.h"
#include "base/fds.h"
#include "base/owned.h"
#include "cli/change.h"
#include "cli/guard.h"
#include "cli/report-html.h"
#include "cli/report-junit.h"
#include "cli/report-markdown.h"
#include "tests/fuzz/fuzz.h"

static void must(bool good) {
        if (!good)
                abort();
}

static const char *const html_names[] = {
        "!DOCTYPE", "html",       "head", "meta", "title", "style",   "body",    "main",
        "header",   "h1",         "h2",   "h3",   "small", "p",       "div",     "span",
        "b",        "section",    "ul",   "li",   "pre",   "details", "summary", "code",
        "table",    "tr",         "th",   "td",   "svg",   "path",    "rect",    "text",
        "figure",   "figcaption", "dl",   "dt",   "dd",    "footer",  NULL,
};
static const char *const junit_names[] = {
        "?xml",    "testsuites", "testsuite", "properties", "property",   "testcase",
        "failure", "error",      "skipped",   "system-out", "system-err", NULL,
};

static bool is_ours(const char *name, const char *const *names) {
        size_t n =
                strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-!?");

        for (; *names; names++)
                if (strlen(*names) == n && strncmp(*names, name, n) == 0)
                        return true;
        return false;
}

static void check_markup(const char *text, const char *const *names) {
        size_t n = strlen(text), at = 0;

        must(utf8_is_valid(text, n));
        while (at < n) {
                uint32_t code = 0;
                size_t step = utf8_next(text + at, n - at, &code);

                must(code >= 0x20 || code == '\n' || code == '\t');
                must((code & 0xfffe) != 0xfffe && !(code >= 0x7f && code < 0xa0));
                if (code == '<')
                        must(is_ours(text + at + 1 + (text[at + 1] == '/'), names));
                at += step;
        }
}

static const char *take_part(const char **at, const char *end) {
        const char *part = *at;
        size_t n = strnlen(part, (size_t) (end - part));

        *at += n + (*at + n < end);
        return part;
}

static void check_report(const char *text, size_t n) {
        const char *at = text, *end = text + n;
        const char *verdict_text = take_part(&at, end), *lines = take_part(&at, end);
        SCOPED(json_free) cJSON *verdict = NULL, *events = report_events(lines);
        Report report = { .events = events, .version = "0", .patch = take_part(&at, end) };
        autofree char *junit = NULL, *summary = NULL, *page = NULL;

        if (json_parse(verdict_text, strlen(verdict_text), 0, &verdict, NULL) == 0)
                report.verdict = report.task = verdict;
        must(report_gather(&report) == 0);
        junit = report_junit(&report);
        summary = report_markdown(&report);
        page = report_html(&report);
        must(junit && summary && page);
        check_markup(junit, junit_names);
        check_markup(page, html_names);
        must(utf8_is_valid(summary, strlen(summary)) && !strchr(summary, '\x1b'));
        report_deinit(&report);
}

static void check_changes(const char *bytes, size_t n) {
        Changes changes = CHANGES_EMPTY;
        Error err = ERROR_EMPTY;
        int fd = memfd_sealed("changes", bytes, n, false, &err);

        must(fd >= 0);
        if (changes_read(fd, &changes, &err) < 0)
                return;
        for (unsigned i = 0; i < changes.n; i++) {
                const Change *change = &changes.items[i];

                must(change->at <= n && change->n <= n - change->at);
                must(changes_find(&changes, change->path) != NULL);
                (void) guard_mode(change->mode);
                (void) danger_of(change->path);
                if (!guard_path(change->path))
                        must(*change->path && *change->path != '/' && !strstr(change->path, "//") &&
                             strncmp(change->path, "../", 3) != 0 && !strstr(change->path, "/../"));
        }
        changes_deinit(&changes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        autofree char *text = malloc(n + 1);

        must(text != NULL);
        memcpy(text, data, n);
        text[n] = 0;
        if (n > 0 && *text == 'R')
                check_changes(text + 1, n - 1);
        else
                check_report(text, n);
        return 0;
}

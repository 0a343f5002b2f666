/* results: see results.h. */
#include "sandbox/files/results.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/files/results-counts.h"
#include "sandbox/files/results-go.h"
#include "sandbox/files/results-junit.h"
#include "sandbox/files/results-node.h"
#include "sandbox/files/results-reports.h"
#include "sandbox/files/results-rows.h"
#include "sandbox/files/results-tap.h"

#define CHUNK 65536

static const ResultsForm *const forms[] = {
        &results_tap,      &results_counts, &results_go,    &results_node, &results_pytest,
        &results_unittest, &results_ctest,  &results_cargo, &results_jest, &results_mocha,
};

typedef struct Lines {
        char line[RESULTS_LINE_MAX + 1];
        size_t n; /* bytes of the line so far; what is above RESULTS_LINE_MAX is left out */
} Lines;

int results_test(Results *results, TestStatus status, const char *name, size_t n) {
        RecordHead head = { .kind = RECORD_TEST, .flags = status };

        if (status == TEST_PASSED)
                results->sums.passed++;
        else if (status == TEST_FAILED)
                results->sums.failed++;
        else
                results->sums.skipped++;
        if (++results->tests > RESULTS_TESTS_MAX) {
                results->report->cut = true;
                return 0;
        }
        return report_bytes(results->report, &head, name, n);
}

uint64_t results_total(const ResultSums *sums) {
        return sums->passed + sums->failed + sums->skipped;
}

/* Colours, wherever they stand: ESC [ … m */
static void strip_colours(char *line) {
        char *to = line;

        for (const char *from = line; *from;) {
                size_t n =
                        from[0] == '\033' && from[1] == '[' ? strspn(from + 2, "0123456789;:") : 0;

                if (from[0] == '\033' && from[1] == '[' && from[2 + n] == 'm')
                        from += n + 3;
                else
                        *to++ = *from++;
        }
        *to = 0;
}

static int end_line(Results *results, const ResultsForm *form, Lines *lines) {
        size_t n = lines->n;

        lines->n = 0;
        if (n > 0 && lines->line[n - 1] == '\r')
                n--;
        lines->line[n] = 0;
        strip_colours(lines->line);
        return form->line(results, lines->line);
}

static int take_bytes(Results *results, const ResultsForm *form, Lines *lines, const char *bytes,
                      size_t n) {
        while (n > 0) {
                const char *end = memchr(bytes, '\n', n);
                size_t part = end ? (size_t) (end - bytes) : n;
                size_t room = RESULTS_LINE_MAX - lines->n;
                int r = 0;

                memcpy(lines->line + lines->n, bytes, part < room ? part : room);
                lines->n += part < room ? part : room;
                if (end)
                        r = end_line(results, form, lines);
                if (r < 0)
                        return r;
                bytes += part + (end ? 1 : 0);
                n -= part + (end ? 1 : 0);
        }
        return 0;
}

static int read_lines(Results *results, const ResultsForm *form, int fd, Error *err) {
        autofree char *chunk = malloc(CHUNK);
        autofree Lines *lines = calloc(1, sizeof(*lines));
        ssize_t n;
        int r = 0;

        if (!chunk || !lines)
                return error_set(err, -ENOMEM, "read the output");
        while (r >= 0) {
                n = read(fd, chunk, CHUNK);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set(err, -errno, "read the output");
                if (n == 0)
                        break;
                r = take_bytes(results, form, lines, chunk, (size_t) n);
        }
        if (r >= 0 && lines->n > 0)
                r = end_line(results, form, lines);
        if (r >= 0 && form->end)
                r = form->end(results);
        return r < 0 ? error_set(err, r, "write a record") : 0;
}

static const ResultsForm *form_of(const char *name) {
        for (size_t i = 0; i < ELEMENTS(forms); i++)
                if (strcmp(name, forms[i]->name) == 0)
                        return forms[i];
        return NULL;
}

static int read_form(Results *results, int fd, const char *name, Error *err) {
        const ResultsForm *form = form_of(name);
        int r;

        if (strcmp(name, "exit") == 0)
                return 0;
        if (strcmp(name, "junit") == 0)
                return results_junit(results, fd, err);
        if (!form)
                return error_say(err, -EINVAL, "no such form of results: %s; see warder-files(8)",
                                 name);
        results->state = calloc(1, form->state_size + 1);
        if (!results->state)
                return error_set(err, -ENOMEM, "read the output");
        r = read_lines(results, form, fd, err);
        free(results->state);
        return r;
}

static uint64_t as_u32(uint64_t value) {
        return value < UINT32_MAX ? value : UINT32_MAX - 1;
}

int results_run(const ResultsJob *job, Report *report, Error *err) {
        const ReportsWhere where = { job->dir, &job->globs, job->since_nsec };
        Results results = { .report = report };
        uint64_t planned;
        int r = job->globs.n == 0 ? read_form(&results, job->fd, job->form, err)
                                  : results_reports(&results, &where, read_form, job->form, err);

        if (r < 0)
                return r;
        planned = results.has_plan ? as_u32(results.planned) : UINT32_MAX;
        return report_numbers(report, RECORD_COUNTS,
                              as_u32(results.sums.passed) << 32 | as_u32(results.sums.failed),
                              as_u32(results.sums.skipped) << 32 | planned);
}

/* results: see results.h. */
#include "sandbox/files/results.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/files/results-counts.h"
#include "sandbox/files/results-tap.h"

#define CHUNK 65536

typedef int (*LineFn)(Results *results, char *line);

typedef struct Lines {
        char line[RESULTS_LINE_MAX + 1];
        size_t n; /* bytes of the line so far; what is above RESULTS_LINE_MAX is left out */
        LineFn take;
} Lines;

int results_test(Results *results, TestStatus status, const char *name, size_t n) {
        RecordHead head = { .kind = RECORD_TEST, .flags = status };

        if (status == TEST_PASSED)
                results->passed++;
        else if (status == TEST_FAILED)
                results->failed++;
        else
                results->skipped++;
        if (++results->tests > RESULTS_TESTS_MAX) {
                results->report->cut = true;
                return 0;
        }
        return report_bytes(results->report, &head, name, n);
}

static int end_line(Results *results, Lines *lines) {
        size_t n = lines->n;

        lines->n = 0;
        if (n > 0 && lines->line[n - 1] == '\r')
                n--;
        lines->line[n] = 0;
        return lines->take(results, lines->line);
}

static int take_bytes(Results *results, Lines *lines, const char *bytes, size_t n) {
        while (n > 0) {
                const char *end = memchr(bytes, '\n', n);
                size_t part = end ? (size_t) (end - bytes) : n;
                size_t room = RESULTS_LINE_MAX - lines->n;
                int r = 0;

                memcpy(lines->line + lines->n, bytes, part < room ? part : room);
                lines->n += part < room ? part : room;
                if (end)
                        r = end_line(results, lines);
                if (r < 0)
                        return r;
                bytes += part + (end ? 1 : 0);
                n -= part + (end ? 1 : 0);
        }
        return 0;
}

static int read_lines(Results *results, int fd, LineFn take, Error *err) {
        autofree char *chunk = malloc(CHUNK);
        autofree Lines *lines = calloc(1, sizeof(*lines));
        ssize_t n;
        int r = 0;

        if (!chunk || !lines)
                return error_set(err, -ENOMEM, "read the output");
        lines->take = take;
        while (r >= 0) {
                n = read(fd, chunk, CHUNK);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set(err, -errno, "read the output");
                if (n == 0)
                        break;
                r = take_bytes(results, lines, chunk, (size_t) n);
        }
        if (r >= 0 && lines->n > 0)
                r = end_line(results, lines);
        return r < 0 ? error_set(err, r, "write a record") : 0;
}

static uint64_t as_u32(uint64_t value) {
        return value < UINT32_MAX ? value : UINT32_MAX - 1;
}

int results_run(const char *format, int fd, Report *report, Error *err) {
        Results results = { .report = report };
        uint64_t planned;
        int r = 0;

        if (strcmp(format, "tap") == 0)
                r = read_lines(&results, fd, results_tap_line, err);
        else if (strcmp(format, "counts") == 0)
                r = read_lines(&results, fd, results_counts_line, err);
        else if (strcmp(format, "exit") != 0)
                return error_say(err, -EINVAL,
                                 "no such form of results: %s; there are tap, counts and exit",
                                 format);
        if (r < 0)
                return r;
        planned = results.has_plan ? as_u32(results.planned) : UINT32_MAX;
        return report_numbers(report, RECORD_COUNTS,
                              as_u32(results.passed) << 32 | as_u32(results.failed),
                              as_u32(results.skipped) << 32 | planned);
}

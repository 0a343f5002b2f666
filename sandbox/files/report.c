/* report: see report.h. */
#include "sandbox/files/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/units.h"

#define SENTENCE_MAX 512

static int flush(Report *report) {
        int r = fd_write_all(report->fd, report->room, report->n);

        report->n = 0;
        return r;
}

/* What the reader does something about, or what comes last, is not kept waiting */
static bool is_urgent(RecordKind kind) {
        return kind == RECORD_PROGRESS || kind == RECORD_REFUSED || kind == RECORD_FAILED ||
               kind == RECORD_DONE;
}

static int send_record(Report *report, const RecordHead *head, const void *data, size_t n) {
        int r = 0;

        if (!report->room)
                return record_write(report->fd, head, data, n);
        if (report->n + RECORD_MAX > REPORT_ROOM)
                r = flush(report);
        report->n += record_encode(head, data, n, report->room + report->n);
        return r == 0 && is_urgent(head->kind) ? flush(report) : r;
}

/* "path NUL sentence"; a path that is too long for a record is cut, never the sentence. */
static int write_sentence(Report *report, const RecordHead *head, const char *path,
                          const char *sentence) {
        char data[RECORD_DATA_MAX];
        size_t n = strnlen(path, RECORD_DATA_MAX - SENTENCE_MAX - 1);
        size_t more = strnlen(sentence, SENTENCE_MAX);

        memcpy(data, path, n);
        data[n++] = 0;
        memcpy(data + n, sentence, more);
        return send_record(report, head, data, n + more);
}

static __attribute__((format(printf, 2, 0))) void format_sentence(char *text, const char *format,
                                                                  va_list args) {
        if (vsnprintf(text, SENTENCE_MAX, format, args) < 0)
                text[0] = 0;
}

int report_note(Report *report, RecordRule rule, const char *path, const char *format, ...) {
        RecordHead head = { .kind = RECORD_NOTE, .flags = rule, .a = ++report->notes };
        char sentence[SENTENCE_MAX];
        va_list args;

        if (report->notes > REPORT_NOTES_MAX)
                return 0;
        va_start(args, format);
        format_sentence(sentence, format, args);
        va_end(args);
        return write_sentence(report, &head, path, sentence);
}

int report_refuse(Report *report, RecordRule rule, const char *path, const char *format, ...) {
        RecordHead head = { .kind = RECORD_REFUSED, .flags = rule };
        char sentence[SENTENCE_MAX];
        va_list args;

        va_start(args, format);
        format_sentence(sentence, format, args);
        va_end(args);
        if (!*path && report->entry)
                path = report->entry;
        if (!report->refused)
                (void) write_sentence(report, &head, path, sentence);
        report->refused = true;
        return -EBADMSG;
}

int report_progress(Report *report, uint64_t bytes, uint64_t entries) {
        uint64_t now = units_monotonic();

        if (report->last_usec == 0)
                report->last_usec = now;
        if (bytes - report->last_bytes < REPORT_PROGRESS_BYTES &&
            now - report->last_usec < REPORT_PROGRESS_USEC)
                return 0;
        report->last_bytes = bytes;
        report->last_usec = now;
        return report_numbers(report, RECORD_PROGRESS, bytes, entries);
}

int report_digest(Report *report, DigestOf what, const uint8_t *value) {
        RecordHead head = { .kind = RECORD_DIGEST, .flags = what };

        return send_record(report, &head, value, 32);
}

int report_numbers(Report *report, RecordKind kind, uint64_t a, uint64_t b) {
        RecordHead head = { .kind = (uint16_t) kind, .a = a, .b = b };

        return send_record(report, &head, NULL, 0);
}

int report_path(Report *report, RecordKind kind, uint32_t flags, uint32_t mode, const char *path) {
        RecordHead head = { .kind = (uint16_t) kind, .flags = flags, .a = mode };

        return send_record(report, &head, path, strlen(path));
}

int report_bytes(Report *report, const RecordHead *head, const void *data, size_t n) {
        return send_record(report, head, data, n);
}

static int end_well(Report *report) {
        RecordHead head = { .kind = RECORD_NOTE, .flags = RULE_NONE, .a = report->notes };
        RecordHead done = { .kind = RECORD_DONE,
                            .flags = report->cut,
                            .a = report->taken,
                            .b = report->passed_over };
        char sentence[SENTENCE_MAX];
        int r = 0;

        if (report->notes > REPORT_NOTES_MAX) {
                snprintf(sentence, sizeof(sentence),
                         "%llu notes in all; only the first %d are shown",
                         (unsigned long long) report->notes, REPORT_NOTES_MAX);
                r = write_sentence(report, &head, "", sentence);
        }
        return r < 0 ? r : send_record(report, &done, NULL, 0);
}

int report_end(Report *report, int r, const Error *failure) {
        RecordHead head = { .kind = RECORD_FAILED };
        const char *text = failure->text;

        if (r >= 0)
                return end_well(report);
        if (report->refused)
                return r;
        if (!*text)
                text = strerror(-r);
        (void) send_record(report, &head, text, strlen(text));
        return r;
}

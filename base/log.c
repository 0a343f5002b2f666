/*
 * log: see log.h. A line is built whole in a bounded buffer and leaves by one write(2), so that lines of
 * several processes on one stderr do not mix. Where stderr is the journal, "<N>" in front tells the
 * level (sd-daemon(3)).
 */
#include "base/log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/escape.h"
#include "base/fds.h"
#include "base/owned.h"

#define LINE_MAX_BYTES 8192
#define FIELD_MAX      1024

static const char *log_program = "warder";
static int log_max_level = LOG_INFO;
static bool log_to_journal;

static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        uintmax_t dev, ino;
        struct stat st;

        if (!stream || sscanf(stream, "%ju:%ju", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
                return false;
        return st.st_dev == dev && st.st_ino == ino;
}

void log_open(const char *program, int max_level) {
        log_program = program;
        log_max_level = max_level;
        log_to_journal = stderr_is_journal();
}

static bool is_plain(const char *text) {
        return *text && !strpbrk(text, " \"=\\");
}

/* One field; what does not fit in the line any more is left out. */
static int append_field(Buf *line, const LogField *field) {
        autofree char *safe = escape_new(field->text, FIELD_MAX);
        const char *at;
        int r;

        if (!safe)
                return -ENOMEM;
        if (is_plain(safe))
                return buf_printf(line, " %s=%s", field->name, safe);
        r = buf_printf(line, " %s=\"", field->name);
        for (at = safe; r == 0 && *at; at++)
                r = *at == '"' ? buf_append(line, "\\\"", 2) : buf_append(line, at, 1);
        return r < 0 ? r : buf_append(line, "\"", 1);
}

void log_fields(int level, const char *message, const LogField *fields) {
        autobuf Buf line = BUF_EMPTY(LINE_MAX_BYTES);
        int saved = errno;

        if (level > log_max_level)
                return;
        if (log_to_journal)
                (void) buf_printf(&line, "<%d>", level);
        (void) buf_printf(&line, "%s: %s", log_program, message);
        for (; fields->name; fields++)
                if (fields->text)
                        (void) append_field(&line, fields);
        line.max++; /* the newline has its place even after a full line */
        if (buf_append(&line, "\n", 1) == 0)
                (void) fd_write_all(STDERR_FILENO, line.data, line.len);
        errno = saved;
}

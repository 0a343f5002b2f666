/*
 * line: see line.h. A buffer that is full loses the rest of the line, which is then only short.
 */
#include "cli/line.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/owned.h"
#include "cli/cells.h"

#define LINE_BYTES_MAX 16384
#define ELLIPSIS       "…"

void line_init(Line *line, unsigned width, unsigned margin, bool colour) {
        *line = (Line){ .buf = BUF_EMPTY(LINE_BYTES_MAX), .width = width, .colour = colour };
        line->margin = margin < width ? margin : width;
}

void line_deinit(Line *line) {
        buf_deinit(&line->buf);
}

void line_tone(Line *line, Tone tone) {
        if (line->colour)
                (void) buf_printf(&line->buf, "%s", terminal_sequence(tone));
}

static unsigned room(const Line *line) {
        unsigned width = line->width - line->margin;

        return line->is_cut || line->cells >= width ? 0 : width - line->cells;
}

void line_blanks(Line *line, unsigned n) {
        unsigned left = room(line);

        for (unsigned i = 0; i < n && i < left; i++) {
                (void) buf_append(&line->buf, " ", 1);
                line->cells++;
        }
}

/* At most @max columns of it. A text that is longer than its columns ends in "…" */
static void add(Line *line, const char *text, unsigned max) {
        unsigned left = room(line), cells = cells_of(text, strlen(text));
        unsigned most = max < left ? max : left;
        size_t n;

        if (*text && left == 0)
                line->is_cut = true;
        if (most == 0)
                return;
        if (cells <= most) {
                (void) buf_append(&line->buf, text, strlen(text));
                line->cells += cells;
                return;
        }
        n = cells_fit(text, most - 1);
        (void) buf_append(&line->buf, text, n);
        (void) buf_append(&line->buf, ELLIPSIS, strlen(ELLIPSIS));
        line->cells += cells_of(text, n) + 1;
        line->is_cut = most == left;
}

void line_add(Line *line, const char *text) {
        add(line, text, line->width);
}

void line_text(Line *line, const char *text, unsigned max) {
        autofree char *first = NULL, *safe = NULL;

        text += strspn(text, " \t\r\n");
        first = strndup(text, strcspn(text, "\r\n"));
        safe = first ? escape_new(first, LINE_BYTES_MAX / 4) : NULL;
        if (safe)
                add(line, safe, max);
}

void line_right(Line *line, const char *text) {
        unsigned cells = cells_of(text, strlen(text));

        if (cells > line->margin)
                return;
        line->margin = 0;
        line->is_cut = false;
        line_blanks(line, line->width - line->cells - cells);
        add(line, text, cells);
}

/*
 * pen: see pen.h.
 */
#include "cli/pen.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define NARROW 40u /* columns; below it a line has nothing at its right edge */

void pen_begin(const Pen *pen, Line *line, unsigned margin) {
        unsigned width = pen->size->width;

        line_init(line, width, width < NARROW ? 0 : margin, pen->size->colour);
}

void pen_end(Pen *pen, Line *line) {
        if (pen->r == 0 && line->buf.len > 0)
                pen->r = buf_append(pen->out, line->buf.data, line->buf.len);
        if (pen->r == 0)
                pen->r = buf_append(pen->out, "\n", 1);
        pen->lines++;
        line_deinit(line);
}

void pen_toned(Line *line, Tone tone, const char *text) {
        line_tone(line, tone);
        line_add(line, text);
        line_tone(line, TONE_PLAIN);
}

void pen_number(Line *line, const char *before, uint64_t number, const char *behind) {
        char text[128];

        (void) snprintf(text, sizeof(text), "%.40s%llu%.40s", before, (unsigned long long) number,
                        behind);
        line_add(line, text);
}

/* Tenths of what runs would have its line drawn anew at each look */
const char *pen_duration(uint64_t usec, bool runs, char *text) {
        if (!runs)
                return units_format_duration(usec, text);
        if (usec >= 60000000)
                return units_format_duration(usec - usec % 1000000, text);
        (void) snprintf(text, UNITS_TEXT_MAX, "%u s", (unsigned) (usec / 1000000));
        return text;
}

#pragma once
/*
 * line: one line of a terminal, written from left to right, never longer than its width. Colours take no column;
 * what does not fit is cut with "…".
 */
#include "base/buf.h"
#include "cli/terminal.h"

typedef struct Line {
        Buf buf;         /* owned */
        unsigned cells;  /* columns taken */
        unsigned width;  /* that may be */
        unsigned margin; /* of them, kept for line_right() */
        bool colour;
        bool is_cut; /* nothing more goes on it but line_right() */
} Line;

#define LINE_EMPTY ((Line){ 0 })

/** line_init() - empty, @width columns of which @margin are kept for the right edge */
void line_init(Line *line, unsigned width, unsigned margin, bool colour);

/** line_deinit() - release it */
void line_deinit(Line *line);

#define autoline __attribute__((cleanup(line_deinit)))

/** line_tone() - what follows has this tone */
void line_tone(Line *line, Tone tone);

/** line_blanks() - @n blanks, as far as there is room */
void line_blanks(Line *line, unsigned n);

/** line_add() - text of ours, or escaped; cut at the width */
void line_add(Line *line, const char *text);

/** line_text() - text from outside: its first line, escaped, at most @max columns */
void line_text(Line *line, const char *text, unsigned max);

/** line_right() - text of ours at the right edge; left out where the margin does not hold it */
void line_right(Line *line, const char *text);

#pragma once
/*
 * pen: lines written one below the other into a buffer, each at most as wide as the terminal.
 */
#include "cli/line.h"
#include "cli/task-view.h"

typedef struct Pen {
        const ViewSize *size; /* borrowed */
        Buf *out;             /* borrowed */
        unsigned lines;
        int r; /* 0, or the first failure */
} Pen;

/** pen_begin() - an empty line; @margin columns are kept for line_right(), none on a narrow terminal */
void pen_begin(const Pen *pen, Line *line, unsigned margin);

/** pen_end() - the line goes out, and is released */
void pen_end(Pen *pen, Line *line);

/** pen_toned() - text of ours in one tone */
void pen_toned(Line *line, Tone tone, const char *text);

/** pen_number() - "@before 7@behind" */
void pen_number(Line *line, const char *before, uint64_t number, const char *behind);

/** pen_duration() - a time that runs, in whole seconds, else as exact as it is short. Returns: @text */
const char *pen_duration(uint64_t usec, bool runs, char *text);

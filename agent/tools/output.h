#pragma once
/*
 * output: what a tool's result keeps of a long text. A success is cut to a few lines; a failure keeps its
 * head, where the command says what it did, and its tail, where most programs say what went wrong.
 */
#include <stdbool.h>

#include "base/buf.h"

#define OUTPUT_LINE_MAX 2000 /* bytes of one line */

typedef struct OutputRules {
        unsigned success_lines;
        unsigned failure_lines;
} OutputRules;

#define OUTPUT_RULES_DEFAULT ((OutputRules){ .success_lines = 60, .failure_lines = 200 })

/**
 * output_append() - append @text cut to @lines_max lines: two fifths from the head, the rest from the tail
 *
 * A line "[… N lines left out …]" stands where something is missing; a line above OUTPUT_LINE_MAX is cut
 * and says so.
 *
 * Returns: as buf_append().
 */
int output_append(Buf *buf, const char *text, unsigned lines_max);

/** output_clip() - @text cut at a character's border to at most @max bytes, fresh memory; NULL: no memory */
char *output_clip(const char *text, size_t max);

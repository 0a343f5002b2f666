#pragma once
/*
 * terminal: what people see: sentences on stderr, text from outside made safe, colour and bars only
 * where stderr is a terminal that wants them.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum Tone {
        TONE_PLAIN,
        TONE_GOOD,
        TONE_BAD,
        TONE_WARN,
        TONE_DIM,
        TONE_BOLD,
        _TONE_MAX
} Tone;

#define TERMINAL_BAR_MAX 64

/** terminal_say() - "warder: …" and a newline on stderr */
void terminal_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** terminal_has_colour() - is @file a terminal, NO_COLOR unset and TERM not dumb */
bool terminal_has_colour(FILE *file);

/** terminal_tone() - the sequence that begins a tone on stderr, "" without colour */
const char *terminal_tone(Tone tone);

/** terminal_tone_on() - the same on @file */
const char *terminal_tone_on(FILE *file, Tone tone);

/** terminal_sequence() - the sequence that begins a tone, wherever it goes */
const char *terminal_sequence(Tone tone);

/** terminal_text() - text from outside, escaped, on @file; cut to @max bytes */
void terminal_text(FILE *file, const char *text, size_t max);

/** terminal_lines() - the same for text of several lines, each begun with @indent */
void terminal_lines(FILE *file, const char *indent, const char *text, size_t max);

/** terminal_paragraph() - the same, with lines broken between words so that they fit a terminal */
void terminal_paragraph(FILE *file, const char *indent, const char *text, size_t max);

/**
 * terminal_quote() - all of a text that somebody must judge, escaped; long lines go on in the next one
 * @mark: begins every line, so that no text can look like ours
 *
 * Nothing is cut; where lines are blank, one and how many there are.
 */
void terminal_quote(FILE *file, const char *mark, const char *text);

/** terminal_cells() - "[####......]" into @text of TERMINAL_BAR_MAX. Returns: @text */
const char *terminal_cells(uint64_t used, uint64_t limit, char *text);
/** terminal_bar() - "[####......] 2/5" into @text of TERMINAL_BAR_MAX. Returns: @text */
const char *terminal_bar(uint64_t used, uint64_t limit, char *text);

/*
 * terminal: what people see. Everything that came from outside goes through base/escape.h first, so that
 * no reply can move the cursor, set a title or hide a line.
 */
#include "cli/terminal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/owned.h"

#define BAR_CELLS       10u
#define LINE_SHOWN      500u
#define SAY_MAX         65536 /* of a message, escaped */
#define PARAGRAPH_WIDTH 90u
#define QUOTE_WIDTH     70u

static const char *const tones[_TONE_MAX] = {
        [TONE_PLAIN] = "\033[0m", [TONE_GOOD] = "\033[32m", [TONE_BAD] = "\033[31m",
        [TONE_WARN] = "\033[33m", [TONE_DIM] = "\033[2m",   [TONE_BOLD] = "\033[1m",
};

/* A reason may hold a name out of an archive, or what a peer said: all of it is text from outside. */
void terminal_say(const char *format, ...) {
        Buf line = BUF_EMPTY(SAY_MAX);
        autofree char *text = NULL;
        va_list args;
        int n;

        va_start(args, format);
        n = vasprintf(&text, format, args);
        va_end(args);
        if (n < 0)
                text = NULL;
        fputs("warder: ", stderr);
        if (n >= 0 && escape_text(&line, text, (size_t) n, 1) == 0 && line.data)
                fputs(line.data, stderr);
        fputc('\n', stderr);
        buf_deinit(&line);
}

bool terminal_has_colour(FILE *file) {
        const char *term = getenv("TERM");
        const char *no = getenv("NO_COLOR");

        return isatty(fileno(file)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

const char *terminal_sequence(Tone tone) {
        return tones[tone];
}

const char *terminal_tone(Tone tone) {
        return terminal_tone_on(stderr, tone);
}

const char *terminal_tone_on(FILE *file, Tone tone) {
        return terminal_has_colour(file) ? terminal_sequence(tone) : "";
}

void terminal_text(FILE *file, const char *text, size_t max) {
        autofree char *safe = text ? escape_new(text, max) : NULL;

        if (safe)
                fputs(safe, file);
}

void terminal_lines(FILE *file, const char *indent, const char *text, size_t max) {
        size_t shown = 0;

        while (text && *text && shown < max) {
                size_t n = strcspn(text, "\n");
                Buf line = BUF_EMPTY(4 * LINE_SHOWN + 1);

                fputs(indent, file);
                if (escape_text(&line, text, n < LINE_SHOWN ? n : LINE_SHOWN, 1) == 0 && line.data)
                        fputs(line.data, file);
                fputs(n > LINE_SHOWN ? "…\n" : "\n", file);
                buf_deinit(&line);
                shown += n + 1;
                text += n;
                if (*text == '\n')
                        text++;
        }
        if (text && *text)
                fprintf(file, "%s…\n", indent);
}

/* How much of @text goes on one line of at most @width bytes: to the last blank, or all of a long word */
static size_t fitting(const char *text, size_t width) {
        size_t n = strcspn(text, "\n"), at = width;

        if (n <= width)
                return n;
        while (at > 0 && text[at] != ' ')
                at--;
        return at > 0 ? at : strcspn(text, " \n");
}

void terminal_paragraph(FILE *file, const char *indent, const char *text, size_t max) {
        const char *from = text;

        while (*from && (size_t) (from - text) < max) {
                size_t n = fitting(from, PARAGRAPH_WIDTH);
                autofree char *line = strndup(from, n);

                fputs(indent, file);
                terminal_text(file, line, n * 4 + 1);
                fputc('\n', file);
                from += n + (from[n] == ' ' || from[n] == '\n');
        }
}

/*
 * How much of an escaped text goes on one line of a narrow terminal, which must not break it by itself: what follows would
 * stand there without its mark. No character has more columns than bytes; a tab has eight at most. A line ends
 * behind its last blank, or within a long word.
 */
static size_t folding(const char *text) {
        size_t columns = 0, n, last = 0;

        for (n = 0; text[n] && text[n] != '\n'; n++) {
                columns += text[n] == '\t' ? 8 : 1;
                if (columns > QUOTE_WIDTH)
                        break;
                if (text[n] == ' ')
                        last = n + 1;
        }
        if (columns <= QUOTE_WIDTH)
                return n;
        while (last == 0 && n > 1 && ((unsigned char) text[n] & 0xc0) == 0x80)
                n--;
        return last > 0 ? last : n;
}

static void quote_blanks(FILE *file, const char *mark, size_t n) {
        if (n > 0)
                fprintf(file, "%s\n", mark);
        if (n > 1)
                fprintf(file, "%s(%zu more blank lines)\n", mark, n - 1);
}

static void quote_lines(FILE *file, const char *mark, const char *text) {
        size_t blanks = 0;

        while (*text) {
                size_t n = folding(text);

                if (strspn(text, " \t") >= n) {
                        blanks++;
                } else {
                        quote_blanks(file, mark, blanks);
                        fprintf(file, "%s%.*s\n", mark, (int) n, text);
                        blanks = 0;
                }
                text += n;
                text += *text == '\n';
        }
        quote_blanks(file, mark, blanks);
}

void terminal_quote(FILE *file, const char *mark, const char *text) {
        size_t n = text ? strlen(text) : 0;
        Buf safe = BUF_EMPTY(4 * n + 1);

        if (escape_text(&safe, text, n, 1) < 0)
                fprintf(file, "%s(there is no memory to show this text)\n", mark);
        else if (safe.data)
                quote_lines(file, mark, safe.data);
        buf_deinit(&safe);
}

const char *terminal_cells(uint64_t used, uint64_t limit, char *text) {
        uint64_t full = limit == 0 ? 0 : (used >= limit ? BAR_CELLS : used * BAR_CELLS / limit);
        char cells[BAR_CELLS + 1];

        memset(cells, '.', BAR_CELLS);
        memset(cells, '#', (size_t) full);
        cells[BAR_CELLS] = 0;
        snprintf(text, TERMINAL_BAR_MAX, "[%s]", cells);
        return text;
}

const char *terminal_bar(uint64_t used, uint64_t limit, char *text) {
        size_t n = strlen(terminal_cells(used, limit, text));

        snprintf(text + n, TERMINAL_BAR_MAX - n, " %llu/%llu", (unsigned long long) used,
                 (unsigned long long) limit);
        return text;
}

/*
 * output: cutting by lines.
 */
#include "agent/tools/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *next_line(const char *line) {
        const char *end = strchr(line, '\n');

        return end ? end + 1 : line + strlen(line);
}

static unsigned count_lines(const char *text) {
        unsigned n = 0;

        for (; *text; text = next_line(text))
                n++;
        return n;
}

/* Where a cut at @max bytes does not split a character: back over continuation bytes. */
static size_t char_border(const char *text, size_t max) {
        while (max > 0 && ((unsigned char) text[max] & 0xc0) == 0x80)
                max--;
        return max;
}

static int append_line(Buf *buf, const char *line, size_t n) {
        size_t keep;

        if (n <= OUTPUT_LINE_MAX)
                return buf_append(buf, line, n);
        keep = char_border(line, OUTPUT_LINE_MAX);
        if (buf_append(buf, line, keep) < 0)
                return -ENOBUFS;
        return buf_printf(buf, " [… %zu bytes of this line left out]\n", n - keep);
}

int output_append(Buf *buf, const char *text, unsigned lines_max) {
        unsigned total = count_lines(text), head = lines_max * 2 / 5, i = 0;
        int r = 0;

        if (total <= lines_max)
                head = total;
        for (const char *line = text; *line && r >= 0; i++) {
                const char *next = next_line(line);

                if (i < head || i >= total - (lines_max - head) || total <= lines_max)
                        r = append_line(buf, line, (size_t) (next - line));
                else if (i == head)
                        r = buf_printf(buf, "[… %u lines left out …]\n", total - lines_max);
                line = next;
        }
        return r;
}

char *output_clip(const char *text, size_t max) {
        size_t n = strlen(text);
        char *clipped;

        if (n <= max)
                return strdup(text);
        n = char_border(text, max);
        clipped = malloc(n + sizeof("…"));
        if (!clipped)
                return NULL;
        memcpy(clipped, text, n);
        memcpy(clipped + n, "…", sizeof("…"));
        return clipped;
}

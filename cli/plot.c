/*
 * plot: see plot.h. U+2581 to U+2588 are the lower eighths of a block.
 */
#include "cli/plot.h"

#include <string.h>

#include "base/owned.h"

#define LEVELS 8u /* of one character */

static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const letters[] = { " ", ".", ":", "-", "=", "+", "*", "#", "@" };
_Static_assert(ELEMENTS(blocks) == LEVELS + 1 && ELEMENTS(letters) == LEVELS + 1,
               "a mark for each level");

/* How many eighths of a line @value is high; anything is at least one. */
static unsigned height(const Plot *plot, uint64_t value) {
        uint64_t most = (uint64_t) plot->rows * LEVELS, max = plot->max ? plot->max : 1;
        double share = (double) value / (double) max;

        if (value == 0)
                return 0;
        if (share >= 1)
                return (unsigned) most;
        return (unsigned) (share * (double) most) > 0 ? (unsigned) (share * (double) most) : 1;
}

static const char *mark(const Plot *plot, uint64_t value, unsigned row) {
        unsigned below = (plot->rows - 1 - row) * LEVELS, high = height(plot, value);
        unsigned level = high > below ? high - below : 0;

        if (level > LEVELS)
                level = LEVELS;
        return plot->plain ? letters[level] : blocks[level];
}

int plot_row(const Plot *plot, unsigned row, Buf *out) {
        size_t shown = plot->n < plot->width ? plot->n : plot->width;
        const uint64_t *values = plot->values + (plot->n - shown);
        int r = 0;

        for (size_t i = shown; r >= 0 && i < plot->width; i++)
                r = buf_append(out, " ", 1);
        for (size_t i = 0; r >= 0 && i < shown; i++) {
                const char *text = mark(plot, values[i], row);

                r = buf_append(out, text, strlen(text));
        }
        return r;
}

/*
 * cells: blocks of Unicode whose characters take two columns (East Asian wide and fullwidth, pictures) or none
 * (what combines with the letter before, variation selectors).
 */
#include "cli/cells.h"

#include <stdint.h>
#include <string.h>

#include "base/escape.h"
#include "base/owned.h"

typedef struct Block {
        uint32_t first, last;
        unsigned cells;
} Block;

static const Block blocks[] = {
        { 0x0300, 0x036f, 0 },   { 0x0483, 0x0489, 0 },   { 0x0591, 0x05bd, 0 },
        { 0x0610, 0x061a, 0 },   { 0x064b, 0x065f, 0 },   { 0x0900, 0x0902, 0 },
        { 0x0e34, 0x0e3a, 0 },   { 0x0e47, 0x0e4e, 0 },   { 0x1100, 0x115f, 2 },
        { 0x1ab0, 0x1aff, 0 },   { 0x1dc0, 0x1dff, 0 },   { 0x20d0, 0x20ff, 0 },
        { 0x231a, 0x231b, 2 },   { 0x2e80, 0x303e, 2 },   { 0x3041, 0x33ff, 2 },
        { 0x3400, 0x4dbf, 2 },   { 0x4e00, 0x9fff, 2 },   { 0xa000, 0xa4cf, 2 },
        { 0xa960, 0xa97f, 2 },   { 0xac00, 0xd7a3, 2 },   { 0xf900, 0xfaff, 2 },
        { 0xfe00, 0xfe0f, 0 },   { 0xfe20, 0xfe2f, 0 },   { 0xfe30, 0xfe6f, 2 },
        { 0xff00, 0xff60, 2 },   { 0xffe0, 0xffe6, 2 },   { 0x16fe0, 0x18aff, 2 },
        { 0x1b000, 0x1b2ff, 2 }, { 0x1f004, 0x1f004, 2 }, { 0x1f0cf, 0x1f0cf, 2 },
        { 0x1f18e, 0x1f19a, 2 }, { 0x1f200, 0x1f64f, 2 }, { 0x1f680, 0x1f6ff, 2 },
        { 0x1f7e0, 0x1f7eb, 2 }, { 0x1f900, 0x1f9ff, 2 }, { 0x1fa70, 0x1faff, 2 },
        { 0x20000, 0x3fffd, 2 }, { 0xe0100, 0xe01ef, 0 },
};

static unsigned cells_of_code(uint32_t code) {
        for (size_t i = 0; i < ELEMENTS(blocks) && code >= blocks[i].first; i++)
                if (code <= blocks[i].last)
                        return blocks[i].cells;
        return 1;
}

/* The first character. Returns: its bytes, at least 1 */
static size_t next(const char *text, size_t n, unsigned *ret_cells) {
        uint32_t code = 0;
        size_t length = utf8_next(text, n, &code);

        *ret_cells = length > 0 ? cells_of_code(code) : 1;
        return length > 0 ? length : 1;
}

unsigned cells_of(const char *text, size_t n) {
        unsigned cells, sum = 0;

        for (size_t at = 0; at < n; sum += cells)
                at += next(text + at, n - at, &cells);
        return sum;
}

size_t cells_fit(const char *text, unsigned cells) {
        size_t n = strlen(text), at = 0;
        unsigned sum = 0;

        while (at < n) {
                unsigned more;
                size_t length = next(text + at, n - at, &more);

                if (sum + more > cells)
                        break;
                sum += more;
                at += length;
        }
        return at;
}

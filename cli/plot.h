#pragma once
/*
 * plot: numbers over time as columns of blocks, a few lines high.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef struct Plot {
        const uint64_t *values; /* borrowed, oldest first */
        size_t n;
        uint64_t max; /* what fills the whole height; 0 is taken as 1 */
        unsigned
                width; /* columns: the newest values are at the right, blanks where there are none */
        unsigned rows; /* lines */
        bool plain;    /* ASCII only */
} Plot;

/**
 * plot_row() - append one line of it, without a newline
 * @row: 0 is the top one
 *
 * A value that is not 0 is seen, however small; one above the maximum fills its column.
 *
 * Returns: as buf_append().
 */
int plot_row(const Plot *plot, unsigned row, Buf *out);

#pragma once
/*
 * cells: how many columns of a terminal a text takes. The table is coarse: what it gets wrong shifts a line's end,
 * never the line below, since who draws lines has the terminal cut them (cli/screen.h).
 */
#include <stddef.h>

/** cells_of() - columns of @n bytes of UTF-8; a byte that is none counts one */
unsigned cells_of(const char *text, size_t n);

/** cells_fit() - how many bytes of @text take at most @cells columns; whole characters with what combines with them */
size_t cells_fit(const char *text, unsigned cells);

#pragma once
/*
 * left-out: what is not packed because the user may not read it: the first few by name, the rest by number.
 */
#include <stdint.h>

/** left_out_add() - count @path in @n, and name it where it is one of the first */
void left_out_add(uint64_t *n, const char *path);

/** left_out_end() - say how many more than were named */
void left_out_end(uint64_t n);

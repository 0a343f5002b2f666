#pragma once
/*
 * figures: times and what is told of many of them.
 */
#include <stddef.h>
#include <stdint.h>

/** figures_now() - monotonic nanoseconds */
uint64_t figures_now(void);
/** figures_sort() - the @n @times, the least first */
void figures_sort(uint64_t *times, unsigned n);
/** figures_at() - of sorted @times that which @percent of them do not exceed; 50: the median. 0 where there are none */
uint64_t figures_at(const uint64_t *times, unsigned n, unsigned percent);
/** figures_msec() - nanoseconds as milliseconds with as many digits as they are good for. @text: of 16 bytes. Returns: @text */
const char *figures_msec(uint64_t nsec, char *text);

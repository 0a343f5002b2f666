/* figures: see figures.h. */
#include "tests/bench/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t figures_now(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

void figures_sort(uint64_t *times, unsigned n) {
        qsort(times, n, sizeof(*times), by_value);
}

uint64_t figures_at(const uint64_t *times, unsigned n, unsigned percent) {
        return n ? times[(uint64_t) (n - 1) * percent / 100] : 0;
}

const char *figures_msec(uint64_t nsec, char *text) {
        double msec = (double) nsec / 1e6;
        int digits = msec < 1 ? 3 : msec < 10 ? 2 : msec < 100 ? 1 : 0;

        (void) snprintf(text, 16, "%.*f", digits, msec);
        return text;
}

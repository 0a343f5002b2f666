#pragma once
/*
 * bench: what the rows of the tables share. A row does one piece of work; what it needs beforehand, and what
 * puts back what it changed, is off the clock.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define ROUNDS_MAX  1000
#define BATCH_MAX   8
#define SAMPLES_MAX (ROUNDS_MAX * BATCH_MAX)
#define BUSYBOX     "/bin/busybox"

typedef struct Bench Bench;

typedef struct Row {
        const char *name;
        int (*run)(Bench *bench, Error *err);
        int (*before)(Bench *bench, Error *err); /* off the clock, as is after; NULL: nothing */
        int (*after)(Bench *bench, Error *err);
        const char *program; /* a peer that must be installed; NULL: none */
        const char *skip;    /* why it is left out; NULL: it is not */
        bool other;          /* it was not asked for */
        unsigned every;      /* one of so many rounds; 0: each */
        unsigned batch;      /* so many times in a row, each a sample; 0: once */
        char fault[ERROR_TEXT_MAX];
        uint64_t times[SAMPLES_MAX]; /* nanoseconds */
        unsigned n;
} Row;

/** bench_now() - monotonic nanoseconds */
uint64_t bench_now(void);
/** bench_sort() - the @n @times, the least first */
void bench_sort(uint64_t *times, unsigned n);
/** bench_spawn() - run a program to its end, which must be good; its output is dropped. Returns: 0 or negative errno */
int bench_spawn(const char *const *argv, Error *err);
/** bench_spawn_in() - the same in @dir, NULL: here */
int bench_spawn_in(const char *dir, const char *const *argv, Error *err);
/** bench_shell() - the same of a script, whose $1 is @dir */
int bench_shell(const char *script, const char *dir, Error *err);

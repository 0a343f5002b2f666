#pragma once
/*
 * rounds: rows of a table that are measured in turns. A row does one piece of work; what it needs beforehand, and what
 * puts back what it changed, is off the clock. The order of the rows is turned by one each round, because what ran just
 * before moves the cost of cgroup work (the kernel's RCU waits).
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define ROUNDS_MAX  1000
#define BATCH_MAX   8
#define SAMPLES_MAX (ROUNDS_MAX * BATCH_MAX)

typedef struct Bench Bench;

typedef struct Row {
        const char *name;
        int (*run)(Bench *bench, Error *err);
        int (*before)(Bench *bench, Error *err); /* off the clock, as is after; NULL: nothing */
        int (*after)(Bench *bench, Error *err);
        const char *program;         /* a peer that must be installed; NULL: none */
        unsigned every;              /* one of so many rounds; 0: each */
        unsigned batch;              /* so many times in a row, each a sample; 0: once */
        char fault[ERROR_TEXT_MAX];  /* why it is left out; "": it is not */
        uint64_t times[SAMPLES_MAX]; /* nanoseconds */
        unsigned n;
} Row;

/**
 * rounds_run() - measure the @n @rows, at most @rounds times and @seconds long, and print them
 * @title: of the first column
 *
 * The first row is what the others are compared with. A row that fails, or whose program is not there, is left out
 * by name, with its reason.
 */
void rounds_run(Bench *bench, const char *title, Row *rows, unsigned n, unsigned rounds,
                unsigned seconds);

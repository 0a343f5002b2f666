#pragma once
/*
 * copies: what was given out of outputs that go on. Each copy is charged to init's group for as long as anybody holds
 * it, so there are only so many, and who asks while nothing new has come gets the one that there is.
 *
 * Theory of operation. A copy is a sealed memfd that init keeps open for reading; who asks gets an open file of its
 * own. A write lease is granted only where nobody else has a file open or mapped: so init sees, when it needs room,
 * which copies nobody holds any more. Rejected: one open file for all (nobody could tell who still has it).
 */
#include <stdbool.h>
#include <stdint.h>

#include "sandbox/init/capture.h"

#define COPIES_MAX       8
#define COPIES_BYTES_MAX (8u << 20)

typedef struct Copy {
        bool used;
        int fd; /* owned where used: for reading */
        uint64_t command;
        uint64_t seen, kept, cut_at; /* as in InitEvent */
} Copy;

typedef struct Copies { /* all zeroes: there are none */
        Copy items[COPIES_MAX];
} Copies;

/**
 * copies_give() - what is kept now of the captured stream of @command, which goes on
 * @ret: a copy of the entry, whose descriptor is the caller's own
 *
 * Returns: 0; -EBUSY: as many others are held as may be; negative errno.
 */
int copies_give(Copies *copies, uint64_t command, const Capture *capture, Copy *ret);

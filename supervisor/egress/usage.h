#pragma once
/*
 * usage: how many tokens a reply says it cost, found without reading the reply as a whole: the largest numbers of
 * the "usage" objects of the text that passed, be it one JSON value or an event stream (whose counts only grow,
 * and which may tell the prompt's at the beginning and the answer's at the end).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define USAGE_OBJECT_MAX      4096
#define USAGE_BYTES_PER_TOKEN 4
#define USAGE_LINE_LOOK       32
#define USAGE_TAIL_MAX        (32 * 1024) /* is looked through at once */
#define USAGE_DEPTH_MAX       4 /* objects of details within one; of what is deeper nothing is read */

typedef struct Usage {
        Buf tail; /* owned: not yet looked through, and an object's length before */
        uint64_t in, out;
        uint64_t fresh;   /* of in: not read from the provider's cache */
        uint64_t written; /* of that: written to it */
        bool found;
        uint64_t events; /* of a stream: lines that begin with "data:" */
        unsigned line;   /* bytes of the present line that fit "data:"; more: none of them */
        char start[USAGE_LINE_LOOK]; /* of the present line */
        unsigned n_start;
        bool is_last; /* a stream of Responses: the event that says all began */
        bool ended;   /* … and is whole */
        uint64_t bytes;
} Usage;

#define USAGE_EMPTY ((Usage){ .tail = { .max = USAGE_TAIL_MAX + USAGE_OBJECT_MAX } })

/** usage_deinit() - release it */
void usage_deinit(Usage *usage);

/** usage_take() - look at what passes. Out of memory loses the count of this part, no more */
void usage_take(Usage *usage, const char *bytes, size_t n);

/** usage_end() - look at the rest: in, out and found are final */
void usage_end(Usage *usage);

/**
 * usage_guess() - tokens of what passed, on the high side, where the provider does not say
 *
 * Four bytes a token; of a stream one for each event, and four bytes a token of what is above its envelope.
 */
uint64_t usage_guess(const Usage *usage);

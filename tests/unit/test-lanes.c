/* lanes: messages beside each other give what libcrypto gives, whatever their lengths and number. */
#include "sandbox/files/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "tests/tap.h"

#define MESSAGES 700
#define BYTES    200000

static uint8_t bytes[BYTES];
static uint8_t values[MESSAGES][DIGEST_SIZE];
static LanesMessage messages[MESSAGES];

static unsigned wrong(size_t n) {
        uint8_t want[DIGEST_SIZE];
        unsigned count = 0;
        size_t i;

        for (i = 0; i < n; i++) {
                digest_of(messages[i].bytes, messages[i].n, want);
                count += memcmp(want, values[i], DIGEST_SIZE) != 0;
        }
        return count;
}

/* Every length around one and two blocks, and lengths that let lanes end at different times. */
static void fill(void) {
        uint32_t state = 2463534242u;
        size_t i;

        for (i = 0; i < BYTES; i++) {
                state = state * 1664525u + 1013904223u;
                bytes[i] = (uint8_t) (state >> 24);
        }
        for (i = 0; i < MESSAGES; i++) {
                size_t n = i < 300 ? i : (i * 7919u) % 70000u;

                messages[i] = (LanesMessage){ .bytes = bytes + i, .n = n, .value = values[i] };
        }
}

static void try_kind(LanesKind kind, const char *name) {
        static const size_t counts[] = { 0, 1, 2, 15, 16, 17, 100, MESSAGES };
        size_t i;

        for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                memset(values, 0, sizeof(values));
                lanes_hash(kind, messages, counts[i]);
                ok(wrong(counts[i]) == 0, "%s: %zu messages", name, counts[i]);
        }
}

/* What the best kind includes can be tried too: AVX-512 comes with AVX2. */
int main(void) {
        LanesKind best = lanes_kind();

        fill();
        try_kind(LANES_NONE, "one after another");
        try_kind(LANES_BEST, "as this processor does best");
        if (best == LANES_AVX512)
                try_kind(LANES_AVX2, "narrower than this processor could");
        else
                tap_skip("narrower than this processor could",
                         "AVX-512, or it has SHA instructions");
        return tap_end();
}

/*
 * lanes: see lanes.h.
 *
 * Sixteen lanes run the same rounds, each on a block of its own message. A lane whose message has ended takes
 * the next one; a lane without a message runs along on zeroes. The last bytes of a message, with its padding,
 * stand in a tail of one or two blocks beside the lane. The bytes of words are turned for a little-endian
 * processor: no other has lanes here.
 */
#include "sandbox/files/lanes.h"

#include <stdbool.h>
#include <string.h>

#include "base/digest.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define LANES 16
#define BLOCK 64u
#define WORDS 16u
#define STATE 8u

typedef uint32_t Vector __attribute__((vector_size(4 * LANES)));

typedef struct Lane {
        const uint8_t *at; /* whole blocks of the message, then the tail */
        size_t blocks;     /* that are left at @at */
        const LanesMessage *message;
        bool in_tail;
        size_t tail_blocks;
        uint8_t tail[2 * BLOCK];
} Lane;

typedef struct Lanes {
        Vector state[STATE];
        Lane lanes[LANES];
        const LanesMessage *next;
        size_t left; /* messages that no lane has taken */
        unsigned busy;
} Lanes;

static const uint32_t start[STATE] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

static const uint32_t constants[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
        0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
        0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
        0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
        0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
        0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
        0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
        0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
        0xc67178f2,
};

#define TURN(X, N) ((X) >> (N) | (X) << (32 - (N)))

/*
 * gcc 12's analyzer measures a shift of a vector of 32-bit numbers by 4, the bytes of one, and loses what a
 * loop writes into an array of vectors: compress() fills all of s and w first.
 */
#ifndef __clang__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wanalyzer-shift-count-overflow"
#pragma GCC diagnostic ignored "-Wanalyzer-use-of-uninitialized-value"
#endif

/* One block in every lane. Inlined into a function for each kind of processor. */
static inline __attribute__((always_inline)) void compress(Vector *state,
                                                           const uint32_t (*words)[LANES]) {
        Vector w[WORDS], s[STATE];
        unsigned t, i;

        for (i = 0; i < WORDS; i++) {
                memcpy(&w[i], words[i], sizeof(w[i]));
                w[i] = (TURN(w[i], 8) & 0xff00ff00) |
                       (TURN(w[i], 24) & 0x00ff00ff); /* big-endian */
        }
        for (i = 0; i < STATE; i++)
                s[i] = state[i];
#pragma GCC unroll 64
        for (t = 0; t < 64; t++) {
                Vector one, two;

                if (t >= WORDS) {
                        Vector a = w[(t + 1) % WORDS], b = w[(t + 14) % WORDS];

                        w[t % WORDS] += (TURN(a, 7) ^ TURN(a, 18) ^ a >> 3) + w[(t + 9) % WORDS] +
                                        (TURN(b, 17) ^ TURN(b, 19) ^ b >> 10);
                }
                one = s[7] + (TURN(s[4], 6) ^ TURN(s[4], 11) ^ TURN(s[4], 25)) +
                      (s[6] ^ (s[4] & (s[5] ^ s[6]))) + constants[t] + w[t % WORDS];
                two = (TURN(s[0], 2) ^ TURN(s[0], 13) ^ TURN(s[0], 22)) +
                      ((s[0] & s[1]) | (s[2] & (s[0] | s[1])));
                s[7] = s[6];
                s[6] = s[5];
                s[5] = s[4];
                s[4] = s[3] + one;
                s[3] = s[2];
                s[2] = s[1];
                s[1] = s[0];
                s[0] = one + two;
        }
        for (i = 0; i < STATE; i++)
                state[i] += s[i];
}

#ifndef __clang__
#pragma GCC diagnostic pop
#endif

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void compress_avx512(Vector *state,
                                                               const uint32_t (*words)[LANES]) {
        compress(state, words);
}

__attribute__((target("avx2"))) static void compress_avx2(Vector *state,
                                                          const uint32_t (*words)[LANES]) {
        compress(state, words);
}

/* Leaf 7: instructions for SHA-256 are much faster than lanes, and libcrypto uses them. */
static bool has_sha_instructions(void) {
        unsigned a = 0, b = 0, c = 0, d = 0;

        return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29);
}

LanesKind lanes_kind(void) {
        if (has_sha_instructions())
                return LANES_NONE;
        if (__builtin_cpu_supports("avx512f"))
                return LANES_AVX512;
        return __builtin_cpu_supports("avx2") ? LANES_AVX2 : LANES_NONE;
}

static void compress_as(LanesKind kind, Vector *state, const uint32_t (*words)[LANES]) {
        if (kind == LANES_AVX512)
                compress_avx512(state, words);
        else
                compress_avx2(state, words);
}
#else
LanesKind lanes_kind(void) {
        return LANES_NONE;
}

static void compress_as(LanesKind kind, Vector *state, const uint32_t (*words)[LANES]) {
        (void) kind;
        compress(state, words);
}
#endif

static void store_big(uint8_t *to, uint64_t value, unsigned n) {
        while (n-- > 0) {
                to[n] = (uint8_t) value;
                value >>= 8;
        }
}

static void make_tail(Lane *lane) {
        size_t n = lane->message->n, rest = n % BLOCK;
        const uint8_t *bytes = lane->message->bytes;

        lane->tail_blocks = rest + 9 > BLOCK ? 2 : 1;
        memset(lane->tail, 0, sizeof(lane->tail));
        if (rest > 0)
                memcpy(lane->tail, bytes + n - rest, rest);
        lane->tail[rest] = 0x80;
        store_big(lane->tail + lane->tail_blocks * BLOCK - 8, (uint64_t) n * 8, 8);
}

static void enter_tail(Lane *lane) {
        lane->in_tail = true;
        lane->at = lane->tail;
        lane->blocks = lane->tail_blocks;
}

static void take_message(Lanes *all, unsigned i) {
        Lane *lane = &all->lanes[i];
        unsigned k;

        lane->message = NULL;
        if (all->left == 0)
                return;
        lane->message = all->next++;
        all->left--;
        all->busy++;
        for (k = 0; k < STATE; k++)
                all->state[k][i] = start[k];
        make_tail(lane);
        lane->in_tail = false;
        lane->at = lane->message->bytes;
        lane->blocks = lane->message->n / BLOCK;
        if (lane->blocks == 0)
                enter_tail(lane);
}

static void end_message(Lanes *all, unsigned i) {
        Lane *lane = &all->lanes[i];
        unsigned k;

        for (k = 0; k < STATE; k++)
                store_big(lane->message->value + 4 * k, all->state[k][i], 4);
        all->busy--;
        take_message(all, i);
}

/* The next block of every lane, word by word beside each other. */
static void gather(Lanes *all, uint32_t (*words)[LANES]) {
        unsigned i, t;

        for (i = 0; i < LANES; i++) {
                Lane *lane = &all->lanes[i];

                if (!lane->message)
                        continue;
                for (t = 0; t < WORDS; t++)
                        memcpy(&words[t][i], lane->at + sizeof(uint32_t) * t, sizeof(uint32_t));
                lane->at += BLOCK;
                lane->blocks--;
        }
}

static void step(Lanes *all) {
        unsigned i;

        for (i = 0; i < LANES; i++) {
                Lane *lane = &all->lanes[i];

                if (!lane->message || lane->blocks > 0)
                        continue;
                if (lane->in_tail)
                        end_message(all, i);
                else
                        enter_tail(lane);
        }
}

void lanes_hash(LanesKind kind, const LanesMessage *messages, size_t n) {
        uint32_t words[WORDS][LANES] __attribute__((aligned(64))) = { { 0 } };
        Lanes all = { .next = messages, .left = n };
        unsigned i;

        if (kind == LANES_BEST)
                kind = lanes_kind();
        if (kind == LANES_NONE) {
                for (; n > 0; n--, messages++)
                        digest_of(messages->bytes, messages->n, messages->value);
                return;
        }
        for (i = 0; i < LANES; i++)
                take_message(&all, i);
        while (all.busy > 0) {
                gather(&all, words);
                compress_as(kind, all.state, (const uint32_t(*)[LANES]) words);
                step(&all);
        }
}

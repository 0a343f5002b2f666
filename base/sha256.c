/* sha256: see sha256.h. Names of variables are those of FIPS 180-4, section 6.2.2. */
#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

#define BLOCK 64

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

static uint32_t turn(uint32_t x, unsigned n) {
        return x >> n | x << (32 - n);
}

static void schedule(const uint8_t *block, uint32_t w[static 64]) {
        for (unsigned i = 0; i < 16; i++)
                w[i] = (uint32_t) block[4 * i] << 24 | (uint32_t) block[4 * i + 1] << 16 |
                       (uint32_t) block[4 * i + 2] << 8 | block[4 * i + 3];
        for (unsigned i = 16; i < 64; i++) {
                uint32_t a = w[i - 15], b = w[i - 2];

                w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] +
                       (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
        }
}

static void add_block(uint32_t state[static 8], const uint8_t *block) {
        uint32_t w[64], s[8];

        schedule(block, w);
        memcpy(s, state, sizeof(s));
        for (unsigned i = 0; i < 64; i++) {
                uint32_t e = s[4], a = s[0];
                uint32_t t1 = s[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
                              ((e & s[5]) ^ (~e & s[6])) + constants[i] + w[i];
                uint32_t t2 = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) +
                              ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

                memmove(s + 1, s, 7 * sizeof(s[0]));
                s[4] += t1;
                s[0] = t1 + t2;
        }
        for (unsigned i = 0; i < 8; i++)
                state[i] += s[i];
}

void sha256_of(const void *bytes, size_t n, uint8_t *ret) {
        uint32_t state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                              0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
        const uint8_t *at = bytes;
        uint8_t last[2 * BLOCK] = { 0 };
        size_t left = n, end;

        for (; left >= BLOCK; at += BLOCK, left -= BLOCK)
                add_block(state, at);
        if (left > 0)
                memcpy(last, at, left);
        last[left] = 0x80;
        end = left < BLOCK - 8 ? BLOCK : 2 * BLOCK;
        for (unsigned i = 0; i < 8; i++)
                last[end - 1 - i] = (uint8_t) ((uint64_t) n * 8 >> (8 * i));
        add_block(state, last);
        if (end > BLOCK)
                add_block(state, last + BLOCK);
        for (unsigned i = 0; i < SHA256_SIZE; i++)
                ret[i] = (uint8_t) (state[i / 4] >> (24 - 8 * (i % 4)));
}

const char *sha256_text(const void *bytes, size_t n, char *text) {
        uint8_t value[SHA256_SIZE];
        int at = snprintf(text, SHA256_TEXT_MAX, "sha256:");

        sha256_of(bytes, n, value);
        for (unsigned i = 0; i < SHA256_SIZE; i++)
                at += snprintf(text + at, SHA256_TEXT_MAX - (size_t) at, "%02x", value[i]);
        return text;
}

const char *sha256_base64(const void *bytes, size_t n, char *text) {
        static const char letters[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        uint8_t value[SHA256_SIZE + 1] = { 0 };
        size_t at = 0;

        sha256_of(bytes, n, value);
        for (unsigned i = 0; i < SHA256_SIZE; i += 3) {
                uint32_t three = (uint32_t) value[i] << 16 | (uint32_t) value[i + 1] << 8 |
                                 (i + 2 < SHA256_SIZE ? value[i + 2] : 0);

                for (int shift = 18; shift >= 0; shift -= 6)
                        text[at++] = letters[three >> shift & 63];
        }
        text[at - 1] = '='; /* 32 bytes: two in the last group */
        text[at] = 0;
        return text;
}

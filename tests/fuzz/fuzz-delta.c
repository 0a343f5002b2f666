/*
 * delta: the binary change of a hostile patch, which no mutation of its compressed text reaches. Input: the old
 * file, a line "====", the delta; it is packed here (zlib without compression, base 85), as git writes it. What
 * comes out has the size that the delta says, and is made of nothing but the file and the delta.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "sandbox/files/patch-binary.h"
#include "tests/fuzz/fuzz.h"

#define SEPARATOR  "====\n"
#define DELTA_MAX  60000u /* fits into one stored block */
#define LINE_BYTES 52u
#define ADLER      65521u

static void must(bool good) {
        if (!good)
                abort();
}

/* RFC 1950 and 1951: one stored block. Returns: bytes of the stream. */
static size_t zlib_store(const uint8_t *bytes, size_t n, uint8_t *to) {
        const uint8_t head[] = { 0x78, 0x01, 1, n & 0xff, n >> 8, ~n & 0xff, ~n >> 8 & 0xff };
        uint32_t low = 1, high = 0;

        memcpy(to, head, sizeof(head));
        memcpy(to + sizeof(head), bytes, n);
        for (size_t i = 0; i < n; i++) {
                low = (low + bytes[i]) % ADLER;
                high = (high + low) % ADLER;
        }
        to += sizeof(head) + n;
        to[0] = (uint8_t) (high >> 8);
        to[1] = (uint8_t) high;
        to[2] = (uint8_t) (low >> 8);
        to[3] = (uint8_t) low;
        return sizeof(head) + n + 4;
}

/* A line: its number of bytes as a letter, then five characters for each four of them. */
static void put_line(Buf *text, const uint8_t *bytes, size_t n) {
        static const char digits[] =
                "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                "!#$%&()*+-;<=>?@^_`{|}~";
        char line[LINE_BYTES / 4 * 5 + 2];
        size_t at = 0;

        line[at++] = (char) (n <= 26 ? 'A' + n - 1 : 'a' + n - 27);
        for (size_t i = 0; i < n; i += 4, at += 5) {
                uint32_t word = 0;

                for (size_t j = 0; j < 4; j++)
                        word = word << 8 | (i + j < n ? bytes[i + j] : 0);
                for (size_t j = 5; j-- > 0; word /= 85)
                        line[at + j] = digits[word % 85];
        }
        line[at++] = '\n';
        must(buf_append(text, line, at) == 0);
}

static void pack(Buf *text, const uint8_t *delta, size_t n) {
        uint8_t stream[DELTA_MAX + 16];
        size_t size = zlib_store(delta, n, stream);

        must(buf_printf(text, "GIT binary patch\ndelta %zu\n", n) == 0);
        for (size_t i = 0; i < size; i += LINE_BYTES)
                put_line(text, stream + i, size - i < LINE_BYTES ? size - i : LINE_BYTES);
        must(buf_append(text, "\n", 1) == 0);
}

/* A number of the delta's head, seven bits a byte, the lowest first. */
static uint64_t take_number(const uint8_t **at, const uint8_t *end) {
        uint64_t value = 0;

        for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
                uint8_t byte = *(*at)++;

                value |= (uint64_t) (byte & 0x7f) << shift;
                if (!(byte & 0x80))
                        break;
        }
        return value;
}

static void check_made(const char *made, size_t n, HunkBytes old, HunkBytes delta) {
        const uint8_t *at = (const uint8_t *) delta.bytes, *end = at + delta.n;

        must(take_number(&at, end) == old.n && take_number(&at, end) == n);
        for (size_t i = 0; i < n; i++)
                must(memchr(delta.bytes, made[i], delta.n) ||
                     (old.n > 0 && memchr(old.bytes, made[i], old.n)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        const char *at = memmem(data, n, SEPARATOR, strlen(SEPARATOR));
        Buf text = BUF_EMPTY(1 << 20);
        HunkBytes old = { 0 }, delta = { 0 };
        Error err = ERROR_EMPTY;
        char *made = NULL;
        size_t n_made = 0;

        if (!at || n > DELTA_MAX)
                return 0;
        old = (HunkBytes){ .bytes = (const char *) data, .n = (size_t) (at - (const char *) data) };
        delta.bytes = at + strlen(SEPARATOR);
        delta.n = n - old.n - strlen(SEPARATOR);
        pack(&text, (const uint8_t *) delta.bytes, delta.n);
        if (patch_binary_apply((HunkBytes){ .bytes = text.data, .n = text.len }, old, &made,
                               &n_made, &err) == 0)
                check_made(made, n_made, old, delta);
        else
                must(err.text[0] && !made);
        free(made);
        buf_deinit(&text);
        return 0;
}

/*
 * digest: see digest.h. SHA-256 of libcrypto fails only where it was misused, which would be our own
 * bug, and a digest that is silently wrong would be worse than an end of the process.
 *
 * Of libcrypto's two ways to the same code the older one is taken, SHA256_Update(): the other, EVP, sets up all algorithms
 * and reads a configuration first, which takes as long as all else that warder-files does for a small patch.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX     "sha256:"
#define PREFIX_LEN (sizeof(PREFIX) - 1)
#define READ_CHUNK 65536

struct Digest {
        SHA256_CTX context;
};

static void must(int good) {
        if (good != 1)
                abort();
}

int digest_new(Digest **ret_digest) {
        Digest *digest = calloc(1, sizeof(*digest));

        if (!digest)
                return -ENOMEM;
        must(SHA256_Init(&digest->context));
        *ret_digest = digest;
        return 0;
}

Digest *digest_free(Digest *digest) {
        free(digest);
        return NULL;
}

void digest_add(Digest *digest, const void *bytes, size_t n) {
        must(SHA256_Update(&digest->context, bytes, n));
}

void digest_end(Digest *digest, uint8_t *ret_value) {
        must(SHA256_Final(ret_value, &digest->context));
        must(SHA256_Init(&digest->context));
}

void digest_of(const void *bytes, size_t n, uint8_t *ret_value) {
        SHA256_CTX context;

        must(SHA256_Init(&context));
        must(SHA256_Update(&context, bytes, n));
        must(SHA256_Final(ret_value, &context));
}

int digest_of_fd(int fd, uint8_t *ret_value, Error *err) {
        SCOPED(digest_free) Digest *digest = NULL;
        autofree char *chunk = malloc(READ_CHUNK);
        off_t at = 0;
        ssize_t n;
        int r = chunk ? digest_new(&digest) : -ENOMEM;

        if (r < 0)
                return error_set(err, r, "start a digest");
        for (;;) {
                n = pread(fd, chunk, READ_CHUNK, at);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set(err, -errno, "read a file for its digest");
                if (n == 0)
                        break;
                digest_add(digest, chunk, (size_t) n);
                at += n;
        }
        digest_end(digest, ret_value);
        return 0;
}

const char *digest_format(const uint8_t *value, char *text) {
        static const char hex[] = "0123456789abcdef";
        char *at = text + PREFIX_LEN;
        unsigned i;

        static_assert(PREFIX_LEN + 2 * DIGEST_SIZE < DIGEST_TEXT_MAX, "the text form fits");
        memcpy(text, PREFIX, PREFIX_LEN);
        for (i = 0; i < DIGEST_SIZE; i++) {
                *at++ = hex[value[i] >> 4];
                *at++ = hex[value[i] & 15];
        }
        *at = 0;
        return text;
}

static int digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int digest_parse(const char *text, uint8_t *ret_value) {
        uint8_t value[DIGEST_SIZE];
        unsigned i;

        if (!text || strncmp(text, PREFIX, PREFIX_LEN) != 0 ||
            strlen(text) != PREFIX_LEN + 2 * DIGEST_SIZE)
                return -EINVAL;
        text += PREFIX_LEN;
        for (i = 0; i < DIGEST_SIZE; i++, text += 2) {
                if (digit(text[0]) < 0 || digit(text[1]) < 0)
                        return -EINVAL;
                value[i] = (uint8_t) (digit(text[0]) << 4 | digit(text[1]));
        }
        memcpy(ret_value, value, sizeof(value));
        return 0;
}

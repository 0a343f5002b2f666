/*
 * base64: see base64.h.
 */
#include "base/base64.h"

#include <errno.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_format(const void *bytes, size_t n, char *text) {
        const uint8_t *from = bytes;
        char *at = text;

        for (size_t i = 0; i < n; i += 3) {
                size_t left = n - i;
                uint32_t group = (uint32_t) from[i] << 16;

                if (left > 1)
                        group |= (uint32_t) from[i + 1] << 8;
                if (left > 2)
                        group |= from[i + 2];
                *at++ = letters[group >> 18];
                *at++ = letters[group >> 12 & 63];
                *at++ = left > 1 ? letters[group >> 6 & 63] : '=';
                *at++ = left > 2 ? letters[group & 63] : '=';
        }
        *at = 0;
        return text;
}

/* One group of four letters. Returns: bytes in it (1 to 3), 0 where it is none */
static unsigned group_of(const char *text, uint8_t *bytes) {
        unsigned n_pad = text[3] == '=' ? text[2] == '=' ? 2 : 1 : 0;
        uint32_t group = 0;

        for (unsigned i = 0; i < 4; i++) {
                const char *at = text[i] ? memchr(letters, text[i], sizeof(letters) - 1) : NULL;

                if (!at && i < 4 - n_pad)
                        return 0;
                group = group << 6 | (at ? (uint32_t) (at - letters) : 0);
        }
        for (unsigned i = 0; i < 3; i++)
                bytes[i] = (uint8_t) (group >> (16 - 8 * i));
        if ((n_pad == 2 && bytes[1]) || (n_pad >= 1 && bytes[2]))
                return 0;
        return 3 - n_pad;
}

int base64_parse(const char *text, size_t n, void *ret_bytes, size_t max, size_t *ret_n) {
        uint8_t *to = ret_bytes;
        size_t done = 0;

        if (n % 4 != 0)
                return -EINVAL;
        for (size_t i = 0; i < n; i += 4) {
                uint8_t bytes[3];
                unsigned count = group_of(text + i, bytes);

                if (count == 0 || (count < 3 && i + 4 < n))
                        return -EINVAL;
                if (done + count > max)
                        return -E2BIG;
                memcpy(to + done, bytes, count);
                done += count;
        }
        *ret_n = done;
        return 0;
}

/* patch-binary: see patch-binary.h. */
#include "sandbox/files/patch-binary.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/owned.h"
#include "sandbox/files/inflate.h"
#include "sandbox/files/patch-write.h"

#define GROUP_TEXT  5 /* base 85: five digits are four bytes */
#define GROUP_BYTES 4

typedef struct Half {
        bool delta;
        uint64_t size; /* of the content, or of the delta */
        char *bytes;   /* owned */
} Half;

typedef struct Delta {
        const uint8_t *at;
        const uint8_t *end;
} Delta;

static int damaged(Error *err, const char *what) {
        return error_say(err, -EBADMSG, "the binary piece is damaged: %s", what);
}

static int digit_85(char c) {
        static const char digits[] =
                "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                "!#$%&()*+-;<=>?@^_`{|}~";
        const char *at = c ? strchr(digits, c) : NULL;

        return at ? (int) (at - digits) : -1;
}

static bool decode_group(const char *text, uint8_t *bytes) {
        uint64_t value = 0;
        int i;

        for (i = 0; i < GROUP_TEXT; i++) {
                int digit = digit_85(text[i]);

                if (digit < 0)
                        return false;
                value = value * 85 + (uint64_t) digit;
        }
        if (value > UINT32_MAX)
                return false;
        for (i = 0; i < GROUP_BYTES; i++)
                bytes[i] = (uint8_t) (value >> (24 - 8 * i));
        return true;
}

/* How many bytes a line says that it holds: A to Z are 1 to 26, a to z are 27 to 52. */
static size_t line_bytes(char c) {
        if (c >= 'A' && c <= 'Z')
                return (size_t) (c - 'A') + 1;
        return c >= 'a' && c <= 'z' ? (size_t) (c - 'a') + 27 : 0;
}

/* One line without its newline. Returns: 0 or negative errno */
static int decode_line(const char *line, size_t n, Buf *packed) {
        size_t want = n > 0 ? line_bytes(line[0]) : 0,
               room = n > 0 ? (n - 1) / GROUP_TEXT * GROUP_BYTES : 0;
        size_t at;
        int r = 0;

        if (n < 1 + GROUP_TEXT || (n - 1) % GROUP_TEXT != 0 || want > room ||
            want + GROUP_BYTES <= room)
                return -EBADMSG;
        for (at = 1; at < n && r >= 0; at += GROUP_TEXT) {
                uint8_t bytes[GROUP_BYTES];

                if (!decode_group(line + at, bytes))
                        return -EBADMSG;
                r = buf_append(packed, bytes, want < GROUP_BYTES ? want : GROUP_BYTES);
                want -= want < GROUP_BYTES ? want : GROUP_BYTES;
        }
        return r;
}

static bool take_head(const char **at, const char *end, Half *half) {
        const char *here = *at;

        half->delta = (size_t) (end - here) > 6 && strncmp(here, "delta ", 6) == 0;
        if (!half->delta && ((size_t) (end - here) <= 8 || strncmp(here, "literal ", 8) != 0))
                return false;
        here += half->delta ? 6 : 8;
        if (*here < '0' || *here > '9')
                return false;
        for (; here < end && *here >= '0' && *here <= '9' && half->size <= PATCH_FILE_MAX; here++)
                half->size = half->size * 10 + (uint64_t) (*here - '0');
        if (here >= end || *here != '\n')
                return half->size > PATCH_FILE_MAX; /* told apart by the caller */
        *at = here + 1;
        return true;
}

/* One half, up to and with its empty line. Returns: 0 or negative errno */
static int take_half(const char **at, const char *end, Half *half, Error *err) {
        Buf packed = BUF_EMPTY(PATCH_FILE_MAX * 2);
        int r = 0;

        if (!take_head(at, end, half))
                return damaged(err, "no half begins where one should");
        if (half->size > PATCH_FILE_MAX)
                return error_say(err, -EFBIG, "the binary content is larger than %u MiB",
                                 PATCH_FILE_MAX >> 20);
        while (r >= 0 && *at < end && **at != '\n') {
                const char *newline = memchr(*at, '\n', (size_t) (end - *at));

                if (!newline)
                        r = -EBADMSG;
                else
                        r = decode_line(*at, (size_t) (newline - *at), &packed);
                *at = newline ? newline + 1 : end;
        }
        if (*at < end)
                (*at)++;
        if (r >= 0)
                r = inflate_zlib(packed.data, packed.len, half->size, &half->bytes);
        buf_deinit(&packed);
        return r == -EBADMSG ? damaged(err, "its lines do not hold what they say") : r;
}

static bool take_varint(Delta *delta, uint64_t *ret_value) {
        unsigned shift = 0;
        uint64_t value = 0;

        while (delta->at < delta->end && shift < 63) {
                uint8_t byte = *delta->at++;

                value |= (uint64_t) (byte & 0x7f) << shift;
                shift += 7;
                if (!(byte & 0x80)) {
                        *ret_value = value;
                        return true;
                }
        }
        return false;
}

/* The bytes of a copy's number that @bits say are there, lowest first. */
static bool take_number(Delta *delta, unsigned bits, unsigned n, uint64_t *ret_value) {
        uint64_t value = 0;
        unsigned i;

        for (i = 0; i < n; i++)
                if (bits & BIT(i)) {
                        if (delta->at >= delta->end)
                                return false;
                        value |= (uint64_t) *delta->at++ << (8 * i);
                }
        *ret_value = value;
        return true;
}

/* One instruction: a copy from the old content, or bytes of its own. Returns: bytes made, 0: damaged */
static uint64_t run_one(Delta *delta, HunkBytes old, char *to, uint64_t room) {
        uint8_t op = *delta->at++;
        uint64_t offset = 0, n = op;

        if (op & 0x80) {
                if (!take_number(delta, op & 0x0f, 4, &offset) ||
                    !take_number(delta, op >> 4 & 7, 3, &n))
                        return 0;
                n = n > 0 ? n : 0x10000;
                if (offset > old.n || n > old.n - offset || n > room)
                        return 0;
                memcpy(to, old.bytes + offset, n);
                return n;
        }
        if (n == 0 || n > (uint64_t) (delta->end - delta->at) || n > room)
                return 0;
        memcpy(to, delta->at, n);
        delta->at += n;
        return n;
}

static int run_delta(const Half *half, HunkBytes old, char **ret_bytes, size_t *ret_n, Error *err) {
        Delta delta = { .at = (const uint8_t *) half->bytes,
                        .end = (const uint8_t *) half->bytes + half->size };
        autofree char *bytes = NULL;
        uint64_t from = 0, to = 0, at = 0, n;

        if (!take_varint(&delta, &from) || !take_varint(&delta, &to))
                return damaged(err, "the delta has no head");
        if (from != old.n)
                return error_say(err, -EBADMSG,
                                 "the binary change was made for a file of another size");
        if (to > PATCH_FILE_MAX)
                return error_say(err, -EFBIG, "the binary content is larger than %u MiB",
                                 PATCH_FILE_MAX >> 20);
        bytes = malloc(to + 1);
        if (!bytes)
                return error_set(err, -ENOMEM, "apply a binary piece");
        for (; delta.at < delta.end; at += n) {
                n = run_one(&delta, old, bytes + at, to - at);
                if (n == 0)
                        return damaged(err, "the delta leaves the file");
        }
        if (at != to)
                return damaged(err, "the delta makes another size than it says");
        bytes[to] = 0;
        *ret_bytes = TAKE_PTR(bytes);
        *ret_n = to;
        return 0;
}

int patch_binary_apply(HunkBytes piece, HunkBytes old, char **ret_bytes, size_t *ret_n,
                       Error *err) {
        const char *end = piece.bytes + piece.n, *at = memchr(piece.bytes, '\n', piece.n);
        Half forward = { 0 }, back = { 0 };
        int r = at ? 0 : damaged(err, "it has no lines");

        if (r >= 0) {
                at++;
                r = take_half(&at, end, &forward, err);
        }
        if (r >= 0 && at < end) /* not used, but a patch that git cannot read must not pass */
                r = take_half(&at, end, &back, err);
        if (r >= 0 && forward.delta) {
                r = run_delta(&forward, old, ret_bytes, ret_n, err);
        } else if (r >= 0) {
                *ret_n = forward.size;
                *ret_bytes = TAKE_PTR(forward.bytes);
        }
        free(forward.bytes);
        free(back.bytes);
        return r;
}

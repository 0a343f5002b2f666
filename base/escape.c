/*
 * escape: see escape.h. A backslash of the text itself stays as it is: the aim is a safe terminal, not a
 * form that can be read back.
 */
#include "base/escape.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHARACTER_MAX 4
#define ESCAPED_MAX   (CHARACTER_MAX * 4) /* \xNN for each byte */
#define ELLIPSIS      "…"

typedef struct Range {
        uint32_t first, last;
} Range;

/*
 * What a terminal or a reader's eye would act on though it is well-formed: controls, and all that Unicode calls
 * Default_Ignorable_Code_Point (DerivedCoreProperties 15), which shows as nothing: whole sentences can be hidden in it
 * from people, and not from a model. U+2800 is no such, and as blank.
 */
static const Range unsafe[] = {
        { 0x00, 0x1f },     { 0x7f, 0x9f },       { 0xad, 0xad },       { 0x034f, 0x034f },
        { 0x061c, 0x061c }, { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },   { 0x180b, 0x180f },
        { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },   { 0x2800, 0x2800 },
        { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },
        { 0xfff0, 0xfffb }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

static int is_unsafe(uint32_t code) {
        size_t i;

        for (i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
                if (code >= unsafe[i].first && code <= unsafe[i].last)
                        return 1;
        return 0;
}

/* How many bytes a character has that starts with @lead; 0 where none starts so. */
static size_t sequence_length(unsigned char lead) {
        if (lead < 0x80)
                return 1;
        if (lead >= 0xc2 && lead < 0xe0)
                return 2;
        if (lead >= 0xe0 && lead < 0xf0)
                return 3;
        return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

size_t utf8_next(const char *text, size_t n, uint32_t *ret_code) {
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        static const unsigned char lead_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
        const unsigned char *bytes = (const unsigned char *) text;
        size_t length = n > 0 ? sequence_length(bytes[0]) : 0;
        uint32_t code;
        size_t i;

        if (length == 0 || length > n)
                return 0;
        code = bytes[0] & lead_bits[length];
        for (i = 1; i < length; i++) {
                if ((bytes[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (bytes[i] & 0x3f);
        }
        if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
                return 0;
        *ret_code = code;
        return length;
}

int utf8_is_valid(const char *text, size_t n) {
        uint32_t code;
        size_t length;

        for (; n > 0; text += length, n -= length) {
                length = utf8_next(text, n, &code);
                if (length == 0)
                        return 0;
        }
        return 1;
}

/*
 * Writes the safe form of the character at @text to @out of ESCAPED_MAX + 1 bytes.
 * Returns how many bytes of @text it stands for.
 */
static size_t escape_one(const char *text, size_t n, int lines, char *out) {
        uint32_t code = 0;
        size_t length = utf8_next(text, n, &code);
        size_t i;

        if (length > 0 && (!is_unsafe(code) || (lines && (code == '\n' || code == '\t')))) {
                memcpy(out, text, length);
                out[length] = 0;
                return length;
        }
        if (length == 0)
                length = 1;
        for (i = 0; i < length; i++)
                (void) snprintf(out + 4 * i, 5, "\\x%02x", (unsigned) (unsigned char) text[i]);
        return length;
}

int escape_text(Buf *buf, const char *text, size_t n, int lines) {
        char safe[ESCAPED_MAX + 1];
        size_t used;
        int r;

        for (; n > 0; text += used, n -= used) {
                used = escape_one(text, n, lines, safe);
                r = buf_append(buf, safe, strlen(safe));
                if (r < 0)
                        return r;
        }
        return 0;
}

char *escape_new(const char *text, size_t max) {
        autobuf Buf buf = BUF_EMPTY(max + sizeof(ELLIPSIS));
        char safe[ESCAPED_MAX + 1];
        size_t n = strlen(text);
        size_t used;

        for (; n > 0; text += used, n -= used) {
                used = escape_one(text, n, 0, safe);
                if (buf.len + strlen(safe) > max)
                        break;
                if (buf_append(&buf, safe, strlen(safe)) < 0)
                        return NULL;
        }
        if (n > 0 && buf_append(&buf, ELLIPSIS, strlen(ELLIPSIS)) < 0)
                return NULL;
        return buf_take(&buf);
}

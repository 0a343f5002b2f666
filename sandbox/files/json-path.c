/* json-path: see json-path.h. */
#include "sandbox/files/json-path.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"

static char *put(char *at, const char *text) {
        return mempcpy(at, text, strlen(text));
}

static char *put_char(char *at, const char *bytes, size_t n) {
        if (n == 1 && (*bytes == '"' || *bytes == '\\'))
                *at++ = '\\';
        if (n == 1 && ((unsigned char) *bytes < 0x20 || *bytes == 0x7f))
                return at + sprintf(at, "\\u%04x", (unsigned) (unsigned char) *bytes);
        return mempcpy(at, bytes, n);
}

size_t json_path(const char *path, char *text) {
        size_t left = strlen(path);
        int is_whole = 1;
        uint32_t code;
        char *at = put(text, "\"path\":\"");

        for (const char *from = path; left > 0;) {
                size_t n = utf8_next(from, left, &code);

                at = n > 0 ? put_char(at, from, n) : put(at, "\xef\xbf\xbd");
                is_whole &= n > 0;
                n += n == 0;
                from += n;
                left -= n;
        }
        *at++ = '"';
        if (is_whole)
                return (size_t) (at - text);
        at = put(at, ",\"path_hex\":\"");
        for (const char *from = path; *from; from++)
                at += sprintf(at, "%02x", (unsigned) (unsigned char) *from);
        *at++ = '"';
        return (size_t) (at - text);
}

/* patch-names: see patch-names.h. */
#include "sandbox/files/patch-names.h"

#include <string.h>

#define RAW_MAX (NAME_PATH_MAX + 2) /* with the prefix */

static bool is_octal(const char *at, const char *end) {
        return end - at >= 3 && at[0] >= '0' && at[0] <= '3' && at[1] >= '0' && at[1] <= '7' &&
               at[2] >= '0' && at[2] <= '7';
}

/* One escape behind its backslash. Returns: where it ends, NULL where it is none. */
static const char *take_escape(const char *at, const char *end, char *ret_byte) {
        static const char letters[] = "abtnvfr\"\\", bytes[] = "\a\b\t\n\v\f\r\"\\";
        const char *letter = at < end && *at ? strchr(letters, *at) : NULL;

        if (letter) {
                *ret_byte = bytes[letter - letters];
                return at + 1;
        }
        if (!is_octal(at, end))
                return NULL;
        *ret_byte = (char) ((at[0] - '0') << 6 | (at[1] - '0') << 3 | (at[2] - '0'));
        return *ret_byte ? at + 3 : NULL;
}

/* A name in quotes. Returns: where it ends, behind the closing quote; NULL where it does not. */
static const char *take_quoted(const char *at, const char *end, char *ret_name) {
        size_t n = 0;

        for (at++; at < end && *at != '"'; n++) {
                if (n + 1 >= RAW_MAX)
                        return NULL;
                if (*at == '\\')
                        at = take_escape(at + 1, end, &ret_name[n]);
                else
                        ret_name[n] = *at++;
                if (!at)
                        return NULL;
        }
        ret_name[n] = 0;
        return at < end ? at + 1 : NULL;
}

static bool copy_name(const char *at, size_t n, char *ret_name) {
        if (n == 0 || n >= RAW_MAX || memchr(at, 0, n))
                return false;
        memcpy(ret_name, at, n);
        ret_name[n] = 0;
        return true;
}

bool patch_name_take(const char *at, size_t n, char *ret_name) {
        const char *tab = memchr(at, '\t', n), *end = at + n;

        if (n > 0 && *at == '"') {
                const char *behind = take_quoted(at, end, ret_name);

                return behind && (behind == end || *behind == '\t');
        }
        return copy_name(at, tab ? (size_t) (tab - at) : n, ret_name);
}

const char *patch_name_strip(const char *name) {
        bool prefix = (name[0] >= 'a' && name[0] <= 'z') || (name[0] >= '0' && name[0] <= '9');

        return prefix && name[1] == '/' && name[2] ? name + 2 : NULL;
}

/* The two names of a title where at least one is in quotes. */
static bool split_quoted(const char *at, const char *end, char *first, char *second) {
        const char *behind;

        if (*at == '"') {
                behind = take_quoted(at, end, first);
                if (!behind || behind >= end || *behind != ' ')
                        return false;
                at = behind + 1;
                if (at < end && *at == '"')
                        return take_quoted(at, end, second) == end;
                return copy_name(at, (size_t) (end - at), second);
        }
        behind = memchr(at, '"', (size_t) (end - at));
        if (!behind || behind == at || behind[-1] != ' ')
                return false;
        return copy_name(at, (size_t) (behind - at) - 1, first) &&
               take_quoted(behind, end, second) == end;
}

bool patch_name_title(const char *at, size_t n, char *ret_name) {
        char first[RAW_MAX], second[RAW_MAX];
        const char *a, *b;

        if (n == 0)
                return false;
        if (memchr(at, '"', n)) {
                if (!split_quoted(at, at + n, first, second))
                        return false;
        } else { /* equal names have equal lengths: the blank between them is in the middle */
                if (n % 2 == 0 || at[n / 2] != ' ' || !copy_name(at, n / 2, first) ||
                    !copy_name(at + n / 2 + 1, n / 2, second))
                        return false;
        }
        a = patch_name_strip(first);
        b = patch_name_strip(second);
        if (!a || !b || strcmp(a, b) != 0)
                return false;
        memcpy(ret_name, a, strlen(a) + 1);
        return true;
}

/*
 * schema-pattern: see schema-pattern.h.
 */
#include "base/schema-pattern.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/owned.h"

#define POSIX_MAX   4096
#define REPEATS_MAX 20000 /* the product of all {n,m}: the matcher unrolls them */

typedef struct Class {
        char letter;
        const char *inside;  /* in a bracket */
        const char *outside; /* NULL: not taken inside either */
} Class;

static const Class classes[] = {
        { 'd', "0-9", "[0-9]" }, { 'D', NULL, "[^0-9]" },       { 'w', "A-Za-z0-9_", "\\w" },
        { 'W', NULL, "\\W" },    { 's', " \t\n\r\f\v", "\\s" }, { 'S', NULL, "\\S" },
        { 'b', NULL, "\\b" },    { 'B', NULL, "\\B" },          { 'n', "\n", "\n" },
        { 't', "\t", "\t" },     { 'r', "\r", "\r" },           { 'f', "\f", "\f" },
        { 'v', "\v", "\v" },
};

static int put(Buf *out, const char *text) {
        return text && buf_append(out, text, strlen(text)) == 0 ? 0 : -ENOTSUP;
}

/* The character after a backslash. */
static int translate_escape(Buf *out, char c, bool in_bracket) {
        char plain[3] = { '\\', c, 0 };
        size_t i;

        for (i = 0; i < ELEMENTS(classes); i++)
                if (classes[i].letter == c)
                        return put(out, in_bracket ? classes[i].inside : classes[i].outside);
        if (c == 0 || isalnum((unsigned char) c))
                return -ENOTSUP; /* a back reference, \x, \u, \p, or nothing at all */
        if (!in_bracket)
                return put(out, c == '/' ? "/" : plain);
        /* POSIX brackets know no backslash; these three mean something by their place */
        return c == ']' || c == '^' || c == '-' ? -ENOTSUP : put(out, plain + 1);
}

/* Multiplies @product by the larger bound of the {n,m} at @text. */
static int count_repeats(const char *text, unsigned long *product) {
        char *end;
        unsigned long most = strtoul(text + 1, &end, 10);

        if (*end == ',')
                most = end[1] == '}' ? most + 1 : strtoul(end + 1, &end, 10);
        if (most > REPEATS_MAX)
                return -ENOTSUP;
        *product *= most ? most : 1;
        return *product > REPEATS_MAX ? -ENOTSUP : 0;
}

/* One character outside brackets; *in_bracket where it opens one. Returns how many it took. */
static int translate_plain(Buf *out, const char *at, unsigned long *repeats, bool *in_bracket) {
        char one[2] = { at[0], 0 };

        if (at[0] == '\\')
                return translate_escape(out, at[1], false) < 0 ? -ENOTSUP : 2;
        if (at[0] == '(' && at[1] == '?')
                return at[2] == ':' && put(out, "(") == 0 ? 3 : -ENOTSUP;
        if (at[0] == '{' && isdigit((unsigned char) at[1]) && count_repeats(at, repeats) < 0)
                return -ENOTSUP;
        if (at[0] != '[')
                return put(out, one) < 0 ? -ENOTSUP : 1;
        *in_bracket = true;
        if (at[1] == ']' || (at[1] == '^' && at[2] == ']'))
                return -ENOTSUP; /* an empty set there, a bracket as member here */
        if (at[1] == '^')
                return put(out, "[^") < 0 ? -ENOTSUP : 2;
        return put(out, "[") < 0 ? -ENOTSUP : 1;
}

static int translate_inside(Buf *out, const char *at, bool *in_bracket) {
        char one[2] = { at[0], 0 };

        if (at[0] == '\\')
                return translate_escape(out, at[1], true) < 0 ? -ENOTSUP : 2;
        if (at[0] == '[' && (at[1] == ':' || at[1] == '.' || at[1] == '='))
                return -ENOTSUP; /* a POSIX class here, three characters there */
        if (at[0] == ']')
                *in_bracket = false;
        return put(out, one) < 0 ? -ENOTSUP : 1;
}

static int translate(const char *pattern, Buf *out) {
        unsigned long repeats = 1;
        bool in_bracket = false;
        int n;

        if (strlen(pattern) > SCHEMA_PATTERN_MAX)
                return -ENOTSUP;
        for (; *pattern; pattern += n) {
                n = in_bracket ? translate_inside(out, pattern, &in_bracket)
                               : translate_plain(out, pattern, &repeats, &in_bracket);
                if (n < 0)
                        return n;
        }
        return in_bracket ? -ENOTSUP : 0;
}

int schema_pattern_match(const char *pattern, const char *text) {
        autobuf Buf posix = BUF_EMPTY(POSIX_MAX);
        regex_t regex;
        int r = translate(pattern, &posix);

        if (r < 0)
                return r;
        if (posix.len == 0)
                return 1;
        if (regcomp(&regex, posix.data, REG_EXTENDED | REG_NOSUB) != 0)
                return -ENOTSUP;
        r = regexec(&regex, text, 0, NULL, 0);
        regfree(&regex);
        return r == 0;
}

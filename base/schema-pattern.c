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

#define POSIX_MAX 4096
#define ATOMS_MAX 1000 /* of the unrolled pattern: the matcher takes their square of memory */

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

/*
 * The matcher unrolls {n,m}: how many atoms that makes. Every open group has the atoms it holds so far;
 * last is the size of what a repetition would repeat.
 */
typedef struct Unrolled {
        unsigned long atoms[SCHEMA_PATTERN_MAX + 1];
        unsigned depth;
        unsigned long last;
} Unrolled;

static int count_atom(Unrolled *u, unsigned long size) {
        u->last = size;
        u->atoms[u->depth] += size;
        return u->atoms[u->depth] > ATOMS_MAX ? -ENOTSUP : 0;
}

static void open_group(Unrolled *u) {
        u->atoms[++u->depth] = 0; /* no deeper than the pattern is long */
}

static int close_group(Unrolled *u) {
        if (u->depth == 0)
                return -ENOTSUP;
        return count_atom(u, u->atoms[u->depth--] + 1);
}

/* Repeating what came last until it stands there @times. */
static int count_repeats(Unrolled *u, unsigned long times) {
        if (times > ATOMS_MAX)
                return -ENOTSUP;
        if (times < 2)
                return 0;
        u->atoms[u->depth] += u->last * (times - 1);
        u->last *= times;
        return u->atoms[u->depth] > ATOMS_MAX ? -ENOTSUP : 0;
}

/* "{n}", "{n,}" or "{n,m}" at @at. Returns how many characters it has. */
static int translate_bounds(Buf *out, const char *at, Unrolled *u) {
        const char *end = at + 1;
        unsigned long most = 0;
        char *digits_end;

        if (!isdigit((unsigned char) *end))
                return -ENOTSUP; /* plain characters there, a repetition or a fault here */
        most = strtoul(end, &digits_end, 10);
        end = digits_end;
        if (*end == ',' && isdigit((unsigned char) end[1]))
                most = strtoul(end + 1, &digits_end, 10);
        else if (*end == ',')
                most++; /* n of them, and a loop */
        end = *digits_end == ',' ? digits_end + 1 : digits_end;
        if (*end != '}' || count_repeats(u, most) < 0)
                return -ENOTSUP;
        return buf_append(out, at, (size_t) (end + 1 - at)) < 0 ? -ENOTSUP : (int) (end + 1 - at);
}

/*
 * The quantifier at @at. Returns how many characters it has. A second one behind it is no pattern there and
 * doubles the work here, but for "?", which asks for the shortest match: whether there is one stays.
 */
static int translate_quantifier(Buf *out, const char *at, Unrolled *u) {
        char one[2] = { at[0], 0 };
        int n = 1;

        if (at[0] == '{')
                n = translate_bounds(out, at, u);
        else if ((at[0] == '+' && count_repeats(u, 2) < 0) || put(out, one) < 0)
                n = -ENOTSUP; /* the matcher makes aa* of a+ */
        if (n < 0)
                return n;
        if (at[n] == '?')
                n++;
        return at[n] && strchr("*+?{", at[n]) ? -ENOTSUP : n;
}

/* What the character at @at, no quantifier, adds to the unrolled size. */
static int count_plain(Unrolled *u, char c) {
        if (c == '(')
                open_group(u);
        if (c == ')')
                return close_group(u);
        return c == '(' || c == '|' ? 0 : count_atom(u, 1);
}

/* One character outside brackets; *in_bracket where it opens one. Returns how many it took. */
static int translate_plain(Buf *out, const char *at, Unrolled *u, bool *in_bracket) {
        char one[2] = { at[0], 0 };

        if (strchr("*+?{", at[0]))
                return translate_quantifier(out, at, u);
        if (count_plain(u, at[0]) < 0)
                return -ENOTSUP;
        if (at[0] == '\\')
                return translate_escape(out, at[1], false) < 0 ? -ENOTSUP : 2;
        if (at[0] == '(' && at[1] == '?')
                return at[2] == ':' && put(out, "(") == 0 ? 3 : -ENOTSUP;
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
        Unrolled unrolled = { .depth = 0 };
        bool in_bracket = false;
        int n;

        if (strlen(pattern) > SCHEMA_PATTERN_MAX)
                return -ENOTSUP;
        for (; *pattern; pattern += n) {
                n = in_bracket ? translate_inside(out, pattern, &in_bracket)
                               : translate_plain(out, pattern, &unrolled, &in_bracket);
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

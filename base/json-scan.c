/*
 * json-scan: see json-scan.h. A scanner without a stack of its own: containers are kept as bits of a
 * fixed array of JSON_DEPTH_MAX, so that no text can make it recurse.
 */
#include "base/json-scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/escape.h"
#include "base/json.h"

typedef struct Scan {
        const char *text;
        size_t n;
        size_t at;
        bool in_object[JSON_DEPTH_MAX];
        unsigned depth;
} Scan;

static int refuse(const char *text, size_t at, const char *reason, Error *err) {
        size_t line = 1, start = 0, i;

        for (i = 0; i < at; i++)
                if (text[i] == '\n') {
                        line++;
                        start = i + 1;
                }
        return error_say(err, -EINVAL, "line %zu, column %zu: %s", line, at - start + 1, reason);
}

static int refuse_here(const Scan *s, const char *reason, Error *err) {
        return refuse(s->text, s->at, s->at >= s->n ? "the text ends too early" : reason, err);
}

static int peek(const Scan *s) {
        return s->at < s->n ? (unsigned char) s->text[s->at] : -1;
}

static bool is_digit(int c) {
        return c >= '0' && c <= '9';
}

static void skip_blanks(Scan *s) {
        while (s->at < s->n && s->text[s->at] && strchr(" \t\r\n", s->text[s->at]))
                s->at++;
}

static void skip_digits(Scan *s) {
        while (is_digit(peek(s)))
                s->at++;
}

static int scan_number(Scan *s, Error *err) {
        if (peek(s) == '-')
                s->at++;
        if (!is_digit(peek(s)))
                return refuse_here(s, "a number needs a digit here", err);
        if (peek(s) == '0')
                s->at++;
        else
                skip_digits(s);
        if (is_digit(peek(s)))
                return refuse_here(s, "a number has no leading zero", err);
        if (peek(s) == '.') {
                s->at++;
                if (!is_digit(peek(s)))
                        return refuse_here(s, "a digit must follow the point", err);
                skip_digits(s);
        }
        if (peek(s) == 'e' || peek(s) == 'E') {
                s->at++;
                if (peek(s) == '+' || peek(s) == '-')
                        s->at++;
                if (!is_digit(peek(s)))
                        return refuse_here(s, "an exponent needs a digit", err);
                skip_digits(s);
        }
        return 0;
}

static int hex_value(int c) {
        if (is_digit(c))
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits after \u; -EINVAL where one is none. */
static int scan_hex4(Scan *s, unsigned *ret_code, Error *err) {
        unsigned code = 0, i;

        for (i = 0; i < 4; i++, s->at++) {
                int value = hex_value(peek(s));

                if (value < 0)
                        return refuse_here(s, "\\u needs four hexadecimal digits", err);
                code = code << 4 | (unsigned) value;
        }
        *ret_code = code;
        return 0;
}

static int scan_unicode(Scan *s, Error *err) {
        unsigned code, low;
        int r = scan_hex4(s, &code, err);

        if (r < 0)
                return r;
        if (code == 0)
                return refuse_here(s, "\\u0000 is not accepted", err);
        if (code >= 0xdc00 && code <= 0xdfff)
                return refuse_here(s, "a low surrogate without its high one", err);
        if (code < 0xd800 || code > 0xdbff)
                return 0;
        if (s->n - s->at < 6 || s->text[s->at] != '\\' || s->text[s->at + 1] != 'u')
                return refuse_here(s, "a high surrogate without its low one", err);
        s->at += 2;
        r = scan_hex4(s, &low, err);
        if (r < 0)
                return r;
        if (low < 0xdc00 || low > 0xdfff)
                return refuse_here(s, "a high surrogate without its low one", err);
        return 0;
}

static int scan_escape(Scan *s, Error *err) {
        int c = peek(s);

        if (c == 'u') {
                s->at++;
                return scan_unicode(s, err);
        }
        if (c <= 0 || !strchr("\"\\/bfnrt", c))
                return refuse_here(s, "an unknown escape in a string", err);
        s->at++;
        return 0;
}

/* Stands behind the opening quote. */
static int scan_string(Scan *s, Error *err) {
        uint32_t code;
        size_t length;
        int r;

        for (;;) {
                int c = peek(s);

                if (c < 0)
                        return refuse_here(s, "", err);
                if (c < 0x20)
                        return refuse_here(s, "a control character in a string must be escaped",
                                           err);
                length = c < 0x80 ? 1 : utf8_next(s->text + s->at, s->n - s->at, &code);
                if (length == 0)
                        return refuse(s->text, s->at, "bytes that are not UTF-8", err);
                s->at += length;
                if (c == '"')
                        return 0;
                if (c != '\\')
                        continue;
                r = scan_escape(s, err);
                if (r < 0)
                        return r;
        }
}

static int scan_word(Scan *s, Error *err) {
        static const char *const words[] = { "true", "false", "null" };
        size_t i;

        for (i = 0; i < ELEMENTS(words); i++) {
                size_t length = strlen(words[i]);

                if (s->n - s->at >= length && memcmp(s->text + s->at, words[i], length) == 0) {
                        s->at += length;
                        return 0;
                }
        }
        return refuse_here(s, "a value was expected", err);
}

/* "name": of an object, up to where its value starts. */
static int scan_name(Scan *s, Error *err) {
        int r;

        skip_blanks(s);
        if (peek(s) != '"')
                return refuse_here(s, "a name in double quotes was expected", err);
        s->at++;
        r = scan_string(s, err);
        if (r < 0)
                return r;
        skip_blanks(s);
        if (peek(s) != ':')
                return refuse_here(s, "a colon was expected", err);
        s->at++;
        return 0;
}

/* Opens a container; *ret_whole where it is empty and closed at once. */
static int scan_open(Scan *s, bool *ret_whole, Error *err) {
        bool object = peek(s) == '{';

        if (s->depth == JSON_DEPTH_MAX)
                return refuse_here(s, "nested too deeply", err);
        s->at++;
        skip_blanks(s);
        if (peek(s) == (object ? '}' : ']')) {
                s->at++;
                *ret_whole = true;
                return 0;
        }
        s->in_object[s->depth++] = object;
        *ret_whole = false;
        return object ? scan_name(s, err) : 0;
}

/* One value, or the opening of one; *ret_whole as for scan_open(). */
static int scan_value(Scan *s, bool *ret_whole, Error *err) {
        int c;

        skip_blanks(s);
        c = peek(s);
        if (c == '{' || c == '[')
                return scan_open(s, ret_whole, err);
        *ret_whole = true;
        if (c == '"') {
                s->at++;
                return scan_string(s, err);
        }
        return c == '-' || is_digit(c) ? scan_number(s, err) : scan_word(s, err);
}

/* After a whole value: closes what closes here; *ret_more where a comma asks for another value. */
static int scan_after(Scan *s, bool *ret_more, Error *err) {
        while (s->depth > 0) {
                bool object = s->in_object[s->depth - 1];

                skip_blanks(s);
                if (peek(s) == ',') {
                        s->at++;
                        *ret_more = true;
                        return object ? scan_name(s, err) : 0;
                }
                if (peek(s) != (object ? '}' : ']'))
                        return refuse_here(s, "a comma or the closing bracket was expected", err);
                s->at++;
                s->depth--;
        }
        *ret_more = false;
        return 0;
}

int json_scan(const char *text, size_t n, Error *err) {
        Scan s = { .text = text, .n = n };
        bool whole = false, more = true;
        int r;

        while (more) {
                r = scan_value(&s, &whole, err);
                if (r == 0 && whole)
                        r = scan_after(&s, &more, err);
                if (r < 0)
                        return r;
        }
        skip_blanks(&s);
        return s.at < n ? refuse(text, s.at, "bytes after the value", err) : 0;
}

static void blank(char *text, size_t from, size_t to) {
        for (; from < to; from++)
                if (text[from] != '\n')
                        text[from] = ' ';
}

/* Where the string that opens at @at ends (behind its quote), or @n. */
static size_t skip_quoted(const char *text, size_t n, size_t at) {
        for (at++; at < n && text[at] != '"'; at++)
                if (text[at] == '\\')
                        at++;
        return at < n ? at + 1 : n;
}

/* Where the comment at @at ends, @n + 1 where it does not. */
static size_t comment_end(const char *text, size_t n, size_t at) {
        const char *end;

        if (text[at + 1] == '/') {
                end = memchr(text + at, '\n', n - at);
                return end ? (size_t) (end - text) : n;
        }
        end = memmem(text + at + 2, n - at - 2, "*/", 2);
        return end ? (size_t) (end - text) + 2 : n + 1;
}

int json_blank_comments(char *text, size_t n, Error *err) {
        size_t at = 0, end;

        while (at < n) {
                if (text[at] == '"') {
                        at = skip_quoted(text, n, at);
                        continue;
                }
                if (text[at] != '/' || at + 1 >= n ||
                    (text[at + 1] != '/' && text[at + 1] != '*')) {
                        at++;
                        continue;
                }
                end = comment_end(text, n, at);
                if (end > n)
                        return refuse(text, at, "a comment that does not end", err);
                blank(text, at, end);
                at = end;
        }
        return 0;
}

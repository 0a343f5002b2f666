/*
 * json-line: see json-line.h. The text has passed json_scan(), so brackets match and strings end; the end
 * of the text is looked at all the same.
 */
#include "base/json-line.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json-scan.h"
#include "base/owned.h"

typedef struct Walk {
        const char *at, *end;
        unsigned line;
} Walk;

static char look(const Walk *walk) {
        return walk->at < walk->end ? *walk->at : '\0';
}

static void skip_blank(Walk *walk) {
        while (walk->at < walk->end && strchr(" \t\r\n", *walk->at)) {
                walk->line += *walk->at == '\n';
                walk->at++;
        }
}

/* From its first quote to behind its last. */
static void skip_string(Walk *walk) {
        for (walk->at++; walk->at < walk->end && *walk->at != '"'; walk->at++)
                if (*walk->at == '\\' && walk->at + 1 < walk->end)
                        walk->at++;
        if (walk->at < walk->end)
                walk->at++;
}

static void skip_value(Walk *walk) {
        unsigned depth = 0;

        do {
                char c = look(walk);

                if (c == '"') {
                        skip_string(walk);
                        continue;
                }
                if (depth == 0 && (c == ',' || c == '}' || c == ']'))
                        return;
                depth += c == '{' || c == '[';
                depth -= c == '}' || c == ']';
                walk->line += c == '\n';
                walk->at++;
                if (depth == 0 && (c == '}' || c == ']'))
                        return;
        } while (walk->at < walk->end && (depth > 0 || !strchr(",}]", *walk->at)));
}

/* Is the string at the walk @name, where '~1' stands for '/' and '~0' for '~' in the name. */
static bool is_name(const Walk *walk, const char *name, size_t n) {
        const char *at = walk->at + 1;

        for (size_t i = 0; i < n; i++, at++) {
                char c = name[i];

                if (c == '~' && i + 1 < n)
                        c = name[++i] == '1' ? '/' : '~';
                if (at >= walk->end || *at != c)
                        return false;
        }
        return at < walk->end && *at == '"';
}

/* To the member's value; its name's line goes to @ret_line. */
static bool enter_member(Walk *walk, const char *name, size_t n, unsigned *ret_line) {
        walk->at++;
        for (skip_blank(walk); look(walk) == '"'; skip_blank(walk)) {
                bool found = is_name(walk, name, n);
                unsigned line = walk->line;

                skip_string(walk);
                skip_blank(walk);
                walk->at += look(walk) == ':';
                skip_blank(walk);
                if (found) {
                        *ret_line = line;
                        return true;
                }
                skip_value(walk);
                skip_blank(walk);
                walk->at += look(walk) == ',';
        }
        return false;
}

static bool enter_element(Walk *walk, const char *number, unsigned *ret_line) {
        unsigned long index = strtoul(number, NULL, 10);

        walk->at++;
        for (unsigned long i = 0; walk->at < walk->end; i++) {
                skip_blank(walk);
                if (look(walk) == ']')
                        return false;
                if (i == index) {
                        *ret_line = walk->line;
                        return true;
                }
                skip_value(walk);
                skip_blank(walk);
                walk->at += look(walk) == ',';
        }
        return false;
}

unsigned json_line(const char *text, size_t n, const char *pointer) {
        autofree char *copy = malloc(n + 1);
        Walk walk = { copy, copy ? copy + n : NULL, 1 };
        unsigned line;
        bool found = true;

        if (!copy)
                return 0;
        memcpy(copy, text, n);
        copy[n] = '\0';
        if (json_blank_comments(copy, n, NULL) < 0)
                return 0;
        skip_blank(&walk);
        line = walk.line;
        while (*pointer == '/' && found) {
                size_t length = strcspn(++pointer, "/");

                if (look(&walk) == '{')
                        found = enter_member(&walk, pointer, length, &line);
                else
                        found = look(&walk) == '[' && enter_element(&walk, pointer, &line);
                pointer += length;
        }
        return line;
}

int json_line_error(Error *err, const char *file, unsigned line, const char *pointer,
                    const char *text) {
        return error_say(err, -EINVAL, "%s:%u: %s%s%s", file, line, pointer, *pointer ? ": " : "",
                         text);
}

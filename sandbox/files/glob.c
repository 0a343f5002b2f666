/*
 * glob: see glob.h.
 *
 * Both levels are matched alike: where a star (or "**") meets a mismatch, only the last star has to try
 * again one further on; what an earlier star could take instead, the later one can take too. So nothing
 * is tried more than once for each place.
 */
#include "sandbox/files/glob.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

typedef struct ClassName {
        const char *name;
        int (*is)(int c);
} ClassName;

static const ClassName class_names[] = {
        { "alnum:]", isalnum }, { "alpha:]", isalpha }, { "blank:]", isblank },
        { "cntrl:]", iscntrl }, { "digit:]", isdigit }, { "graph:]", isgraph },
        { "lower:]", islower }, { "print:]", isprint }, { "punct:]", ispunct },
        { "space:]", isspace }, { "upper:]", isupper }, { "xdigit:]", isxdigit },
};

/* "[:name:]" at @at. Returns: where it ends, NULL where it is none. */
static const char *match_class(const char *at, unsigned char c, bool *matched) {
        size_t i;

        if (at[0] != '[' || at[1] != ':')
                return NULL;
        for (i = 0; i < ELEMENTS(class_names); i++) {
                size_t n = strlen(class_names[i].name);

                if (strncmp(at + 2, class_names[i].name, n) != 0)
                        continue;
                *matched |= class_names[i].is(c) != 0;
                return at + 2 + n;
        }
        return NULL;
}

static unsigned char take_quoted(const char **at) {
        if (**at == '\\' && (*at)[1])
                (*at)++;
        return (unsigned char) *(*at)++;
}

/*
 * A bracket that starts behind '['. Returns: where it ends, NULL where it has no end: the '[' is then an
 * ordinary character.
 */
static const char *match_bracket(const char *at, const char *end, unsigned char c,
                                 bool *ret_matched) {
        bool negated = *at == '!' || *at == '^', matched = false, first = true;

        at += negated;
        for (; at < end && (*at != ']' || first); first = false) {
                const char *behind = match_class(at, c, &matched);
                unsigned char low, high;

                if (behind && behind <= end) {
                        at = behind;
                        continue;
                }
                low = high = take_quoted(&at);
                if (at + 1 < end && *at == '-' && at[1] != ']') {
                        at++;
                        high = take_quoted(&at);
                }
                matched |= low <= c && c <= high;
        }
        if (at >= end)
                return NULL;
        *ret_matched = matched != negated;
        return at + 1;
}

/* One pattern element but '*' against one byte. Returns: where the element ends, NULL: no match. */
static const char *match_one(const char *at, const char *end, unsigned char c) {
        bool matched = false;
        const char *behind;

        if (*at == '?')
                return at + 1;
        if (*at == '[') {
                behind = match_bracket(at + 1, end, c, &matched);
                if (behind)
                        return matched ? behind : NULL;
        }
        if (*at == '\\' && at + 1 < end)
                at++;
        return (unsigned char) *at == c ? at + 1 : NULL;
}

static bool match_part(const char *pattern, const char *pattern_end, const char *part,
                       const char *part_end) {
        const char *star = NULL, *retry = NULL;

        while (part < part_end) {
                const char *behind = NULL;

                if (pattern < pattern_end && *pattern == '*') {
                        star = ++pattern;
                        retry = part;
                        continue;
                }
                if (pattern < pattern_end)
                        behind = match_one(pattern, pattern_end, (unsigned char) *part);
                if (behind) {
                        pattern = behind;
                        part++;
                } else if (star) {
                        pattern = star;
                        part = ++retry;
                } else {
                        return false;
                }
        }
        while (pattern < pattern_end && *pattern == '*')
                pattern++;
        return pattern == pattern_end;
}

static const char *part_end(const char *at) {
        return at + strcspn(at, "/");
}

static const char *next_part(const char *at) {
        at = part_end(at);
        return *at ? at + 1 : at;
}

static bool is_stars(const char *pattern) {
        return pattern[0] == '*' && pattern[1] == '*' && (pattern[2] == '/' || pattern[2] == 0);
}

bool glob_match(const char *pattern, const char *path) {
        const char *stars = NULL, *retry = NULL;

        while (*path) {
                if (is_stars(pattern)) {
                        if (pattern[2] == 0)
                                return true;
                        stars = pattern += 3;
                        retry = path;
                        continue;
                }
                if (*pattern && match_part(pattern, part_end(pattern), path, part_end(path)) &&
                    (*next_part(path) || !*next_part(pattern))) {
                        pattern = next_part(pattern);
                        path = next_part(path);
                } else if (stars) {
                        pattern = stars;
                        path = retry = next_part(retry);
                } else {
                        return false;
                }
        }
        return !*pattern;
}

bool globs_match(const Globs *globs, const char *path) {
        unsigned i;

        for (i = 0; i < globs->n; i++)
                if (glob_match(globs->patterns[i], path))
                        return true;
        return false;
}

void globs_deinit(Globs *globs) {
        while (globs->n > 0)
                free(globs->patterns[--globs->n]);
        free(globs->patterns);
        globs->patterns = NULL;
}

static int keep(Globs *globs, const char *pattern) {
        char **more = realloc(globs->patterns, (globs->n + 1) * sizeof(char *));

        if (!more)
                return -ENOMEM;
        globs->patterns = more;
        more[globs->n] = strdup(pattern);
        if (!more[globs->n])
                return -ENOMEM;
        globs->n++;
        return 0;
}

/* The first brace that has an end and a comma. Returns: false where there is none. */
static bool find_brace(const char *pattern, const char **ret_open, const char **ret_close) {
        const char *open = NULL;
        bool comma = false;

        for (; *pattern; pattern++) {
                if (*pattern == '\\' && pattern[1]) {
                        pattern++;
                } else if (*pattern == '{') { /* the innermost one is written out first */
                        open = pattern;
                        comma = false;
                } else if (*pattern == ',') {
                        comma = true;
                } else if (*pattern == '}' && open && comma) {
                        *ret_open = open;
                        *ret_close = pattern;
                        return true;
                }
        }
        return false;
}

static int expand(Globs *globs, const char *pattern, unsigned *budget, Error *err) {
        const char *open = NULL, *close = NULL, *at, *end;
        int r = 0;

        if ((*budget)-- == 0)
                return error_say(err, -EINVAL, "a pattern has more than %d alternatives",
                                 GLOB_ALTERNATIVES_MAX);
        if (!find_brace(pattern, &open, &close)) {
                r = keep(globs, pattern);
                return r < 0 ? error_set(err, r, "keep a pattern") : 0;
        }
        for (at = open + 1; at <= close && r >= 0; at = end + 1) {
                char text[GLOB_PATTERN_MAX];
                size_t n = (size_t) (open - pattern);

                end = at + strcspn(at, ",}");
                memcpy(text, pattern, n);
                memcpy(text + n, at, (size_t) (end - at));
                n += (size_t) (end - at);
                memcpy(text + n, close + 1, strlen(close + 1) + 1);
                r = expand(globs, text, budget, err);
        }
        return r;
}

int globs_add(Globs *globs, const char *pattern, Error *err) {
        unsigned budget = GLOB_ALTERNATIVES_MAX * 2;

        if (strlen(pattern) >= GLOB_PATTERN_MAX)
                return error_say(err, -EINVAL, "a pattern is longer than %d bytes",
                                 GLOB_PATTERN_MAX - 1);
        return expand(globs, pattern, &budget, err);
}

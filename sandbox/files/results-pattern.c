/*
 * results-pattern: see results-pattern.h. Only %n can end in more than one place, so there is nothing to
 * come back to but its end.
 */
#include "sandbox/files/results-pattern.h"

#include <string.h>

#define DIGITS "0123456789"

/* Where the text that @token stands for ends at @line; NULL: it does not stand there. */
static const char *take_token(char token, const char *line) {
        size_t n;

        switch (token) {
        case 'd':
                n = strspn(line, DIGITS);
                return n > 0 ? line + n : NULL;
        case 'b':
                return line + strspn(line, " \t");
        case 'p':
                n = strspn(line, ".");
                return n >= 3 ? line + n : NULL;
        case '=':
                return line + strspn(line, "=");
        case 'e':
                n = strspn(line, " \t");
                return !line[n] || (n > 0 && (line[n] == '[' || line[n] == '(')) ? strchr(line, 0)
                                                                                 : NULL;
        case 'r':
                return strchr(line, 0);
        default:
                return *line == token ? line + 1 : NULL;
        }
}

/* Without %n: one way only */
static bool match_rest(const char *pattern, const char *line) {
        while (line && *pattern) {
                if (*pattern == '%') {
                        line = take_token(pattern[1], line);
                        pattern += 2;
                } else if (*pattern++ != *line++) {
                        return false;
                }
        }
        return line && !*line;
}

bool results_pattern_match(const char *pattern, const char *line, PatternName *ret_name) {
        const char *end;

        for (; *pattern && !(pattern[0] == '%' && pattern[1] == 'n'); pattern++) {
                if (*pattern == '%')
                        line = take_token(*++pattern, line);
                else if (*pattern == *line)
                        line++;
                else
                        return false;
                if (!line)
                        return false;
        }
        if (!*pattern) {
                *ret_name = (PatternName){ 0 };
                return !*line;
        }
        for (end = line; *end; end++) {
                if (!match_rest(pattern + 2, end + 1))
                        continue;
                *ret_name = (PatternName){ line, (size_t) (end + 1 - line) };
                return true;
        }
        return false;
}

/* results-tap: see results-tap.h. */
#include "sandbox/files/results-tap.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/owned.h"
#include "sandbox/files/results-why.h"

typedef struct TapState {
        bool tap;      /* the first result line was TAP's … */
        bool automake; /* … or automake's */
        WhyOpen why;
} TapState;

typedef struct AutomakeWord {
        const char *word;
        TestStatus status;
} AutomakeWord;

/* Automake calls a test that passes against expectation a failure. */
static const AutomakeWord automake_words[] = {
        { "PASS: ", TEST_PASSED },   { "FAIL: ", TEST_FAILED },  { "SKIP: ", TEST_SKIPPED },
        { "XFAIL: ", TEST_SKIPPED }, { "XPASS: ", TEST_FAILED }, { "ERROR: ", TEST_FAILED },
};

static char *skip_blanks(char *at) {
        while (*at == ' ' || *at == '\t')
                at++;
        return at;
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* Digits at @at as a number that cannot overflow; @at moves behind them. */
static uint64_t take_number(char **at) {
        uint64_t value = 0;

        for (; is_digit(**at); (*at)++)
                if (value < UINT32_MAX)
                        value = value * 10 + (uint64_t) (**at - '0');
        return value;
}

/* Cut the directive off a description: what follows a '#' that no backslash quotes and a blank precedes. */
static char *split_directive(char *text) {
        char *to = text, *from;

        for (from = text; *from; from++) {
                if (*from == '\\' && (from[1] == '#' || from[1] == '\\'))
                        *to++ = *++from;
                else if (*from == '#' && (from == text || from[-1] == ' ' || from[-1] == '\t'))
                        break;
                else
                        *to++ = *from;
        }
        from = *from ? skip_blanks(from + 1) : from;
        while (to > text && isspace((unsigned char) to[-1]))
                to--;
        *to = 0;
        return from;
}

static int take_result(Results *results, bool good, char *rest) {
        char *number = skip_blanks(rest), *name = number;
        size_t digits = strspn(number, "0123456789");
        TapState *tap = results->state;
        TestStatus status = good ? TEST_PASSED : TEST_FAILED;
        char *directive;
        int r;

        if (digits > 0 && (number[digits] == 0 || number[digits] == ' '))
                name = skip_blanks(number + digits);
        if (name[0] == '-' && (name[1] == ' ' || name[1] == 0))
                name = skip_blanks(name + 1);
        directive = split_directive(name);
        if (strncasecmp(directive, "skip", 4) == 0 ||
            (strncasecmp(directive, "todo", 4) == 0 && !good))
                status = TEST_SKIPPED;
        if (!*name && digits > 0) { /* a test without a description is known by its number */
                name = number;
                name[digits] = 0;
        }
        r = results_test(results, status, name, strlen(name));
        if (r >= 0)
                r = results_why_close(results, &tap->why);
        if (r >= 0 && status == TEST_FAILED)
                r = results_why_open(results, &tap->why, &(PatternName){ name, strlen(name) },
                                     WHY_UNKNOWN);
        return r;
}

/* "1..N": the plan; a second stream in the same output adds its own. */
static bool take_plan(Results *results, char *line) {
        uint64_t n;

        if (strncmp(line, "1..", 3) != 0 || !is_digit(line[3]))
                return false;
        line += 3;
        n = take_number(&line);
        line = skip_blanks(line);
        if (*line && *line != '#')
                return false;
        results->planned += n;
        results->has_plan = true;
        return true;
}

static bool is_word(const char *line, const char *word) {
        size_t n = strlen(word);

        return strncmp(line, word, n) == 0 && (line[n] == 0 || line[n] == ' ');
}

static int automake_line(Results *results, const char *line) {
        TapState *tap = results->state;
        size_t i;
        int r;

        for (i = 0; i < ELEMENTS(automake_words); i++) {
                size_t n = strlen(automake_words[i].word);

                if (strncmp(line, automake_words[i].word, n) != 0)
                        continue;
                tap->automake = true;
                r = results_test(results, automake_words[i].status, line + n, strlen(line + n));
                if (r >= 0 && line[0] == 'E') /* a hard error: the test could not do its work */
                        r = results_why(results, WHY_BROKEN, line + n, strlen(line + n));
                return r;
        }
        return 0;
}

/* A diagnostic belongs to the result before it: "# …", or a line of a block of YAML */
static void hear(TapState *tap, const char *line) {
        if (*line == '#' || *line == ' ')
                results_why_hear(&tap->why, line + strspn(line, "# \t"));
}

static int take_line(Results *results, char *line) {
        TapState *tap = results->state;
        bool bad = is_word(line, "not ok");

        /* automake's form never hides a failure that TAP tells of: its first line may be another's */
        if (tap->automake && !bad)
                return automake_line(results, line);
        if (bad || is_word(line, "ok")) {
                tap->tap = true;
                return take_result(results, !bad, line + (bad ? 6 : 2));
        }
        if (strncmp(line, "Bail out!", 9) == 0)
                return results_test(results, TEST_FAILED, line, strlen(line));
        hear(tap, line);
        if (take_plan(results, line) || tap->tap)
                return 0;
        return automake_line(results, line);
}

static int take_end(Results *results) {
        TapState *tap = results->state;

        return results_why_close(results, &tap->why);
}

const ResultsForm results_tap = { "tap", sizeof(TapState), take_line, take_end };

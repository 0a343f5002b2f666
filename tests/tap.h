#pragma once
/*
 * tap: the Test Anything Protocol for tests written in C. One function an idea; each calls the checks
 * below, and main() ends with "return tap_end();". A failed check prints where it stands and what was
 * compared, and the test goes on.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct Tap {
        unsigned run;
        unsigned failed;
        bool skipped_all;
} Tap;

static Tap tap_state;

/* One result line; the caller has compared. Every check ends here. */
static inline __attribute__((format(printf, 4, 5))) bool tap_result(bool good, const char *file,
                                                                    int line, const char *format,
                                                                    ...) {
        va_list args;

        printf("%s %u - ", good ? "ok" : "not ok", ++tap_state.run);
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        putchar('\n');
        if (!good) {
                tap_state.failed++;
                printf("# at %s:%d\n", file, line);
        }
        fflush(stdout);
        return good;
}

static inline bool tap_same_number(long long got, long long want, const char *what,
                                   const char *file, int line) {
        bool good = tap_result(got == want, file, line, "%s", what);

        if (!good)
                printf("# got %lld, want %lld\n", got, want);
        return good;
}

/* Text of a diagnostic stays on its line. */
static inline void tap_show(const char *label, const char *text) {
        printf("# %s: ", label);
        for (; text && *text; text++)
                putchar(*text == '\n' ? '|' : *text);
        puts(text ? "" : "(null)");
}

static inline bool tap_same_text(const char *got, const char *want, const char *what,
                                 const char *file, int line) {
        bool good = tap_result(got && want ? strcmp(got, want) == 0 : got == want, file, line, "%s",
                               what);

        if (!good) {
                tap_show("got ", got);
                tap_show("want", want);
        }
        return good;
}

static inline bool tap_has_text(const char *text, const char *part, const char *what,
                                const char *file, int line) {
        bool good = tap_result(text && strstr(text, part), file, line, "%s", what);

        if (!good) {
                tap_show("text", text);
                tap_show("lacks", part);
        }
        return good;
}

/** ok() - @CONDITION holds; what follows is a printf format that says so. Evaluates to the condition */
#define ok(CONDITION, ...) tap_result((CONDITION) ? true : false, __FILE__, __LINE__, __VA_ARGS__)
/** is_number() - two integers are equal */
#define is_number(GOT, WANT, WHAT) \
        tap_same_number((long long) (GOT), (long long) (WANT), WHAT, __FILE__, __LINE__)
/** is_text() - two strings are equal; NULL equals NULL */
#define is_text(GOT, WANT, WHAT) tap_same_text(GOT, WANT, WHAT, __FILE__, __LINE__)
/** has_text() - the second string is part of the first */
#define has_text(TEXT, PART, WHAT) tap_has_text(TEXT, PART, WHAT, __FILE__, __LINE__)

/** tap_skip() - one check cannot run; @missing names what this machine lacks */
static inline void tap_skip(const char *what, const char *missing) {
        printf("ok %u - %s # SKIP %s\n", ++tap_state.run, what, missing);
}

/** tap_skip_all() - nothing of this test can run; then return tap_end() */
static inline void tap_skip_all(const char *missing) {
        printf("1..0 # SKIP %s\n", missing);
        tap_state.skipped_all = true;
}

/** tap_end() - the plan, as the last line. Returns: what main() returns */
static inline int tap_end(void) {
        if (!tap_state.skipped_all)
                printf("1..%u\n", tap_state.run);
        return tap_state.failed ? 1 : 0;
}

/*
 * plain-output: see plain-output.h. Each rule looks at one place and says how many bytes it takes and what stands
 * there instead; the first that takes any wins. All of them look a bounded way ahead.
 */
#include "supervisor/front/gate/plain-output.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/owned.h"

#define ADDRESS_MIN 6  /* digits; fewer are a number */
#define MADE_UP_MIN 6  /* letters and digits of a name that mkstemp() and its like made */
#define LONG        64 /* no name or number that is replaced is longer */
#define DOTS        "…"

typedef struct Place {
        const char *all, *at, *end; /* of the text */
} Place;

typedef struct Taken {
        size_t n;            /* bytes; 0: none */
        const char *instead; /* static */
} Taken;

static char at(const Place *place, size_t i) {
        return i < (size_t) (place->end - place->at) ? place->at[i] : 0;
}

static char before(const Place *place) {
        return place->at > place->all ? place->at[-1] : '\n';
}

static bool follows(const Place *place, const char *word) {
        size_t n = strlen(word);

        return (size_t) (place->at - place->all) >= n && memcmp(place->at - n, word, n) == 0;
}

static bool starts(const Place *place, size_t i, const char *word) {
        size_t n = strlen(word);

        return (size_t) (place->end - place->at) >= i + n && memcmp(place->at + i, word, n) == 0;
}

static size_t digits(const Place *place, size_t i) {
        size_t n = 0;

        while (n < LONG && isdigit((unsigned char) at(place, i + n)))
                n++;
        return n;
}

static Taken take_address(const Place *place) {
        size_t n = 2;

        if (!starts(place, 0, "0x") || isalnum((unsigned char) before(place)))
                return (Taken){ 0 };
        while (n < LONG && isxdigit((unsigned char) at(place, n)))
                n++;
        return n >= ADDRESS_MIN + 2 ? (Taken){ n, "0x" DOTS } : (Taken){ 0 };
}

/* 12:10:59, and what follows of a fraction or a zone */
static Taken take_clock(const Place *place) {
        size_t n = 8;

        if (isalnum((unsigned char) before(place)) && before(place) != 'T')
                return (Taken){ 0 };
        if (digits(place, 0) != 2 || at(place, 2) != ':' || digits(place, 3) != 2 ||
            at(place, 5) != ':' || digits(place, 6) != 2)
                return (Taken){ 0 };
        if ((at(place, n) == '.' || at(place, n) == ',') && digits(place, n + 1) > 0)
                n += 1 + digits(place, n + 1);
        return (Taken){ n, DOTS };
}

static bool has_unit(const Place *place, size_t i) {
        static const char *const units[] = { "ns", "us", "µs", "ms", "sec", "s" };

        i += at(place, i) == ' ';
        for (size_t k = 0; k < ELEMENTS(units); k++)
                if (starts(place, i, units[k]) &&
                    !islower((unsigned char) at(place, i + strlen(units[k]))))
                        return true;
        return starts(place, i, "seconds");
}

/* A number where runners put how long it took: the unit stays */
static Taken take_duration(const Place *place) {
        static const char *const leads[] = { "(",    " in ",       "Time: ",     "time=\"",
                                             "=   ", "Passed    ", "Failed    ", "duration_ms " };
        bool led = false;
        size_t n = digits(place, 0);

        for (size_t i = 0; n > 0 && !led && i < ELEMENTS(leads); i++)
                led = follows(place, leads[i]);
        if (!led)
                return (Taken){ 0 };
        if (at(place, n) == '.')
                n += 1 + digits(place, n + 1);
        if (!has_unit(place, n) && !follows(place, "duration_ms ") && !follows(place, "time=\""))
                return (Taken){ 0 };
        return (Taken){ n, DOTS };
}

static bool is_name(char c) {
        return isalnum((unsigned char) c) || c == '_';
}

/* Did a program make this word up: letters and digits at random, or Python's tmp and eight */
static bool is_made_up(const char *word, size_t n) {
        bool odd = n == 11 && memcmp(word, "tmp", 3) == 0;

        for (size_t i = 1; i < n; i++)
                odd = odd || isdigit((unsigned char) word[i]) || isupper((unsigned char) word[i]);
        return odd && n >= MADE_UP_MIN;
}

/* A word of a name right below /tmp: what comes before it in the name stays */
static Taken take_tmp_word(const Place *place) {
        const char *slash = place->at;
        size_t n = 0;

        if (is_name(before(place)) || !is_name(at(place, 0)))
                return (Taken){ 0 };
        while (slash > place->all && place->at - slash < LONG && slash[-1] != '/' &&
               !isspace((unsigned char) slash[-1]))
                slash--;
        if (slash - place->all < 5 || memcmp(slash - 5, "/tmp/", 5) != 0)
                return (Taken){ 0 };
        while (n < LONG && is_name(at(place, n)))
                n++;
        return is_made_up(place->at, n) ? (Taken){ n, DOTS } : (Taken){ 0 };
}

/* "/work/src" is "src", as in the patch; the directory itself is "." */
static Taken take_work(const Place *place) {
        char c = before(place);

        if (!starts(place, 0, "/work") || is_name(c) || c == '/' || c == '.' || c == '-')
                return (Taken){ 0 };
        if (at(place, 5) == '/' && !isspace((unsigned char) at(place, 6)) && at(place, 6))
                return (Taken){ 6, "" };
        c = at(place, 5);
        if (is_name(c) || c == '-' || c == '.' || c == '/')
                return (Taken){ 0 };
        return (Taken){ 5, "." };
}

static Taken take(const Place *place) {
        static Taken (*const rules[])(const Place *) = { take_address, take_clock, take_duration,
                                                         take_tmp_word, take_work };
        Taken taken = { 0 };

        for (size_t i = 0; taken.n == 0 && i < ELEMENTS(rules); i++)
                taken = rules[i](place);
        return taken;
}

/* Bytes of a terminal's control sequence (ECMA-48: CSI) at @text, which colours are; 0: it is none, or a very long one */
static size_t sequence(const char *text, size_t n) {
        size_t i = 2;

        if (n < 3 || text[0] != '\033' || text[1] != '[')
                return 0;
        while (i < n && i < LONG && text[i] >= 0x20 && text[i] <= 0x3f)
                i++;
        return i < n && text[i] >= 0x40 && text[i] <= 0x7e ? i + 1 : 0;
}

/* They go first: what stands beside them is beside its neighbour then */
static int take_colours(Buf *buf, const char *text, size_t n) {
        size_t from = 0, at = 0;
        int r = 0;

        while (r >= 0 && at < n) {
                size_t taken = sequence(text + at, n - at);

                if (taken == 0) {
                        at++;
                        continue;
                }
                r = buf_append(buf, text + from, at - from);
                from = at += taken;
        }
        return r < 0 ? r : buf_append(buf, text + from, n - from);
}

static int replace(Buf *buf, const char *text, size_t n) {
        Place place = { text, text, text + n };
        const char *from = text;
        int r = 0;

        while (r >= 0 && place.at < place.end) {
                Taken taken = take(&place);

                if (taken.n == 0) {
                        place.at++;
                        continue;
                }
                r = buf_append(buf, from, (size_t) (place.at - from));
                if (r >= 0)
                        r = buf_append(buf, taken.instead, strlen(taken.instead));
                place.at += taken.n;
                from = place.at;
        }
        return r < 0 ? r : buf_append(buf, from, (size_t) (place.end - from));
}

int plain_output(Buf *buf, const char *text, size_t n) {
        autobuf Buf plain = BUF_EMPTY(n + 1);
        int r;

        if (!memchr(text, '\033', n))
                return replace(buf, text, n);
        r = take_colours(&plain, text, n);
        return r < 0 ? r : replace(buf, plain.data ? plain.data : "", plain.len);
}

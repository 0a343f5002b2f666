/*
 * units: see units.h.
 */
#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/owned.h"

#define KIB  ((uint64_t) 1024)
#define SEC  ((uint64_t) 1000000)
#define MSEC ((uint64_t) 1000)

typedef struct Suffix {
        const char *text;
        uint64_t factor;
} Suffix;

static const Suffix size_suffixes[] = {
        { "", 1 },
        { "K", KIB },
        { "M", KIB *KIB },
        { "G", KIB *KIB *KIB },
        { "T", KIB *KIB *KIB *KIB },
        { NULL, 0 },
};

static const Suffix duration_suffixes[] = {
        { "", SEC },       { "us", 1 },         { "ms", MSEC },       { "s", SEC },
        { "m", 60 * SEC }, { "h", 3600 * SEC }, { "d", 86400 * SEC }, { NULL, 0 },
};

static const Suffix share_suffixes[] = { { "%", 10 }, { NULL, 0 } };
static const Suffix number_suffixes[] = { { "", 1 }, { NULL, 0 } };

/* Digits at the start of @text; -ERANGE above 64 bits, -EINVAL without any. */
static int parse_digits(const char *text, uint64_t *ret_value, const char **ret_end) {
        const char *at = text;
        uint64_t value = 0;

        for (; *at >= '0' && *at <= '9'; at++)
                if (__builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*at - '0'), &value))
                        return -ERANGE;
        if (at == text)
                return -EINVAL;
        *ret_value = value;
        *ret_end = at;
        return 0;
}

static int parse_with(const char *text, const Suffix *suffixes, uint64_t *ret_value) {
        const char *end;
        uint64_t value;
        int r = text ? parse_digits(text, &value, &end) : -EINVAL;

        if (r < 0)
                return r;
        for (; suffixes->text; suffixes++) {
                if (strcmp(end, suffixes->text) != 0)
                        continue;
                if (__builtin_mul_overflow(value, suffixes->factor, &value))
                        return -ERANGE;
                *ret_value = value;
                return 0;
        }
        return -EINVAL;
}

/* The sentence for @r of parse_with(); the text is cut, since it may be anything. */
static int refuse(Error *err, int r, const char *text, const char *want) {
        if (r == -ERANGE)
                return error_say(err, -EINVAL, "\"%.40s\" is too large", text);
        return error_say(err, -EINVAL, "\"%.40s\" is no %s", text ? text : "", want);
}

int units_parse_size(const char *text, uint64_t *ret_bytes, Error *err) {
        int r = parse_with(text, size_suffixes, ret_bytes);

        return r < 0 ? refuse(err, r, text, "size: a number of bytes, or 64K, 512M, 2G, 1T") : 0;
}

int units_parse_duration(const char *text, uint64_t *ret_usec, Error *err) {
        int r = parse_with(text, duration_suffixes, ret_usec);

        return r < 0 ? refuse(err, r, text, "duration: seconds, or 250ms, 10s, 10m, 2h, 1d") : 0;
}

int units_parse_share(const char *text, uint32_t *ret_permille, Error *err) {
        uint64_t value;
        int r = parse_with(text, share_suffixes, &value);

        if (r == 0 && value > UINT32_MAX)
                r = -ERANGE;
        if (r < 0)
                return refuse(err, r, text, "share of a processor: 150% is one and a half");
        *ret_permille = (uint32_t) value;
        return 0;
}

int units_parse_number(const char *text, uint64_t *ret_value, Error *err) {
        int r = parse_with(text, number_suffixes, ret_value);

        return r < 0 ? refuse(err, r, text, "number: decimal digits only") : 0;
}

const char *units_format_size(uint64_t bytes, char *text) {
        static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
        uint64_t unit = 1;
        size_t i = 0;

        while (bytes / unit >= KIB && i + 1 < ELEMENTS(names)) {
                unit *= KIB;
                i++;
        }
        if (bytes % unit == 0)
                (void) snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 " %s", bytes / unit, names[i]);
        else
                (void) snprintf(text, UNITS_TEXT_MAX, "%.1f %s", (double) bytes / (double) unit,
                                names[i]);
        return text;
}

static void format_two(char *text, uint64_t large, const char *of, uint64_t small,
                       const char *of_small) {
        if (small == 0)
                (void) snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 " %s", large, of);
        else
                (void) snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 " %s %" PRIu64 " %s", large, of,
                                small, of_small);
}

const char *units_format_duration(uint64_t usec, char *text) {
        uint64_t sec = usec / SEC;

        if (usec < MSEC)
                (void) snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 " us", usec);
        else if (usec < SEC)
                (void) snprintf(text, UNITS_TEXT_MAX, "%.1f ms", (double) usec / 1e3);
        else if (sec < 60)
                (void) snprintf(text, UNITS_TEXT_MAX, "%.1f s", (double) usec / 1e6);
        else if (sec < 3600)
                format_two(text, sec / 60, "m", sec % 60, "s");
        else
                format_two(text, sec / 3600, "h", sec / 60 % 60, "m");
        return text;
}

const char *units_format_count(uint64_t n, const char *one, char *text) {
        (void) snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 " %s%s", n, one, n == 1 ? "" : "s");
        return text;
}

const char *units_format_time(uint64_t usec, char *text) {
        time_t sec = (time_t) (usec / SEC);
        struct tm parts;
        size_t n;

        if (!gmtime_r(&sec, &parts))
                memset(&parts, 0, sizeof(parts));
        n = strftime(text, UNITS_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &parts);
        if (n == 0 || n + sizeof(".000Z") > UNITS_TEXT_MAX)
                n = 0; /* a year of more digits than any clock has */
        (void) snprintf(text + n, UNITS_TEXT_MAX - n, ".%03uZ", (unsigned) (usec / MSEC % 1000));
        return text;
}

/* The form is compared by writing the time again: a thirteenth month comes out as another text */
int units_parse_time(const char *text, uint64_t *ret_usec) {
        struct tm parts = { 0 };
        char again[UNITS_TEXT_MAX];
        unsigned msec = 0;
        uint64_t usec;
        time_t sec;

        if (!text ||
            sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3uZ", &parts.tm_year, &parts.tm_mon,
                   &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &msec) != 7)
                return -EINVAL;
        parts.tm_year -= 1900;
        parts.tm_mon -= 1;
        sec = timegm(&parts);
        if (sec < 0)
                return -EINVAL;
        usec = (uint64_t) sec * SEC + msec * MSEC;
        if (strcmp(units_format_time(usec, again), text) != 0)
                return -EINVAL;
        *ret_usec = usec;
        return 0;
}

static uint64_t read_clock(clockid_t clock) {
        struct timespec now = { 0 };

        (void) clock_gettime(clock, &now); /* fails only for a clock that does not exist */
        return (uint64_t) now.tv_sec * SEC + (uint64_t) now.tv_nsec / 1000;
}

uint64_t units_now(void) {
        return read_clock(CLOCK_REALTIME);
}

uint64_t units_monotonic(void) {
        return read_clock(CLOCK_MONOTONIC);
}

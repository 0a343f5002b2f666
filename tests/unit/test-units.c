/* units: the whole string or nothing. */
#include "base/units.h"

#include <errno.h>

#include "base/owned.h"
#include "tests/tap.h"

static void bad_sizes(void) {
        static const char *const bad[] = { "",
                                           " 1",
                                           "1 ",
                                           "-1",
                                           "+1",
                                           "1.5G",
                                           "512m",
                                           "1KB",
                                           "0x10",
                                           "K",
                                           "1e3",
                                           "1 K",
                                           "18446744073709551616",
                                           "16777216T" };
        uint64_t value = 7;
        size_t i;

        for (i = 0; i < ELEMENTS(bad); i++)
                is_number(units_parse_size(bad[i], &value, NULL), -EINVAL, bad[i]);
        is_number(units_parse_size(NULL, &value, NULL), -EINVAL, "no text at all");
        is_number(value, 7, "no output on failure");
}

static void faults_say_what_to_write(void) {
        Error err = ERROR_EMPTY;
        uint64_t value;

        (void) units_parse_size("lots", &value, &err);
        is_text(err.text, "\"lots\" is no size: a number of bytes, or 64K, 512M, 2G, 1T",
                "a wrong size shows right ones");
        (void) units_parse_duration("99999999999999d", &value, &err);
        is_text(err.text, "\"99999999999999d\" is too large", "overflow has its own words");
}

static void good_sizes(void) {
        uint64_t value = 0;

        is_number(units_parse_size("0", &value, NULL), 0, "0");
        is_number(value, 0, "is none");
        is_number(units_parse_size("512M", &value, NULL), 0, "512M");
        is_number(value, 512LL * 1024 * 1024, "is powers of 1024");
        is_number(units_parse_size("18446744073709551615", &value, NULL), 0, "the largest");
        ok(value == UINT64_MAX, "is exact");
}

static void durations(void) {
        uint64_t value = 0;

        is_number(units_parse_duration("10 s", &value, NULL), -EINVAL, "no blank inside");
        is_number(units_parse_duration("1m30s", &value, NULL), -EINVAL, "one unit only");
        is_number(units_parse_duration("250ms", &value, NULL), 0, "250ms");
        is_number(value, 250000, "in microseconds");
        is_number(units_parse_duration("10", &value, NULL), 0, "a bare number");
        is_number(value, 10000000, "is seconds");
        is_number(units_parse_duration("2h", &value, NULL), 0, "2h");
        is_number(value, 7200LL * 1000000, "in microseconds");
}

static void shares(void) {
        uint32_t value = 7;

        is_number(units_parse_share("1.5", &value, NULL), -EINVAL, "a share needs %");
        is_number(units_parse_share("429496730%", &value, NULL), -EINVAL, "above 32 bits");
        is_number(value, 7, "no output on failure");
        is_number(units_parse_share("150%", &value, NULL), 0, "150%");
        is_number(value, 1500, "is per mille");
}

static void shown(void) {
        char text[UNITS_TEXT_MAX];

        is_text(units_format_size(512, text), "512 B", "bytes");
        is_text(units_format_size(1536ULL << 20, text), "1.5 GiB", "one place behind the point");
        is_text(units_format_size(2048, text), "2 KiB", "none where it is exact");
        is_text(units_format_size(UINT64_MAX, text), "16.0 EiB", "the largest fits");
        is_text(units_format_duration(12, text), "12 us", "microseconds");
        is_text(units_format_duration(1200, text), "1.2 ms", "milliseconds");
        is_text(units_format_duration(3400000, text), "3.4 s", "seconds");
        is_text(units_format_duration(605000000, text), "10 m 5 s", "minutes");
        is_text(units_format_duration(7380000000, text), "2 h 3 m", "hours");
        is_text(units_format_duration(1800000000, text), "30 m", "whole minutes");
        is_text(units_format_duration(172800000000, text), "48 h", "whole hours");
        uint64_t usec = 0;

        is_text(units_format_time(1767607872345678, text), "2026-01-05T10:11:12.345Z", "a time");
        is_number(units_parse_time("2026-01-05T10:11:12.345Z", &usec), 0, "is read again");
        is_number((long long) usec, 1767607872345000, "to the millisecond");
        is_number(units_parse_time("2026-13-05T10:11:12.345Z", &usec), -EINVAL, "a 13th month");
        is_number(units_parse_time("2026-01-05T10:11:12.345Zz", &usec), -EINVAL, "text behind it");
        is_number(units_parse_time("2026-01-05 10:11", &usec), -EINVAL, "half of one");
        is_number(units_parse_time("-001-01-05T10:11:12.345Z", &usec), -EINVAL, "a sign");
        is_number(units_parse_time(NULL, &usec), -EINVAL, "none");
        ok(strlen(units_format_time(UINT64_MAX, text)) < UNITS_TEXT_MAX, "any time fits");
}

static void clocks_move(void) {
        uint64_t before = units_monotonic();

        ok(units_monotonic() >= before, "the monotonic clock never goes back");
        ok(units_now() > 1700000000000000, "the wall clock is after 2023");
}

int main(void) {
        bad_sizes();
        faults_say_what_to_write();
        good_sizes();
        durations();
        shares();
        shown();
        clocks_move();
        return tap_end();
}

#include <string.h>

#include "shelf.h"
#include "tap.h"

static bool trims(const char *text, const char *wanted) {
        char copy[64];

        strcpy(copy, text);
        return strcmp(text_trim(copy), wanted) == 0;
}

void test_text(void) {
        uint64_t number = 7;
        size_t size = 7;

        tap_ok(trims("  a b\t", "a b"), "text: blanks at both ends go");
        tap_ok(trims("a", "a"), "text: nothing to trim");
        tap_ok(trims(" \t ", ""), "text: nothing but blanks");
        tap_ok(text_number("0", &number) == 0 && number == 0, "text: zero");
        tap_ok(text_number("18446744073709551615", &number) == 0 && number == UINT64_MAX,
               "text: the largest number");
        tap_ok(text_number("18446744073709551616", &number) < 0, "text: one more is refused");
        tap_ok(text_number("", &number) < 0, "text: an empty number is refused");
        tap_ok(text_number("12x", &number) < 0, "text: a letter is refused");
        tap_ok(text_number("-1", &number) < 0, "text: a sign is refused");
        tap_ok(text_size("512", &size) == 0 && size == 512, "text: bytes");
        tap_ok(text_size("64k", &size) == 0 && size == 65536, "text: kilobytes");
        tap_ok(text_size("2m", &size) == 0 && size == 2097152, "text: megabytes");
        tap_ok(text_size("k", &size) < 0, "text: a unit alone is refused");
        tap_ok(text_size("18446744073709551615k", &size) < 0, "text: too large is refused");
}

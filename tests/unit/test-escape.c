/* escape: nothing that a terminal acts on passes. */
#include "base/escape.h"

#include <stdlib.h>

#include "base/owned.h"
#include "tests/tap.h"

static void becomes(const char *text, size_t n, int lines, const char *want, const char *what) {
        autobuf Buf buf = BUF_EMPTY(1000);

        (void) escape_text(&buf, text, n, lines);
        is_text(buf.data ? buf.data : "", want, what);
}

static void controls(void) {
        becomes("\033]0;x\007", 6, 1, "\\x1b]0;x\\x07", "a terminal's title sequence");
        becomes("a\rb\b", 4, 1, "a\\x0db\\x08", "carriage return and backspace");
        becomes("a\0b", 3, 0, "a\\x00b", "a NUL");
        becomes("\xc2\x9b"
                "31m",
                5, 0, "\\xc2\\x9b31m", "the one-character CSI");
        becomes("a\nb\tc", 5, 0, "a\\x0ab\\x09c", "lines and tabs, unless they are wanted");
        becomes("a\nb\tc", 5, 1, "a\nb\tc", "and when they are");
}

static void deceiving_characters(void) {
        becomes("\xe2\x80\xae", 3, 1, "\\xe2\\x80\\xae", "a right-to-left override");
        becomes("\xe2\x81\xa6", 3, 1, "\\xe2\\x81\\xa6", "an isolate");
        becomes("\xf3\xa0\x80\xa1", 4, 1, "\\xf3\\xa0\\x80\\xa1", "a tag character");
        becomes("ok\xf3\xa0\x84\x80", 6, 1, "ok\\xf3\\xa0\\x84\\x80",
                "a variation selector beyond 16");
        becomes("\xef\xb8\x81", 3, 1, "\\xef\\xb8\\x81", "a variation selector");
        becomes("\xc2\xad", 2, 1, "\\xc2\\xad", "a soft hyphen");
        becomes("\xe3\x85\xa4", 3, 1, "\\xe3\\x85\\xa4", "a filler that is a letter, and blank");
        becomes("\xe2\x81\xae", 3, 1, "\\xe2\\x81\\xae",
                "a format character that nobody uses any more");
}

static void invalid_utf8(void) {
        becomes("\xff", 1, 0, "\\xff", "no lead byte");
        becomes("\xc3", 1, 0, "\\xc3", "a cut sequence");
        becomes("\xc0\xaf", 2, 0, "\\xc0\\xaf", "an overlong slash");
        becomes("\xed\xa0\x80", 3, 0, "\\xed\\xa0\\x80", "a surrogate");
        becomes("\xf4\x90\x80\x80", 4, 0, "\\xf4\\x90\\x80\\x80", "above U+10FFFF");
        becomes("\xc3(", 2, 0, "\\xc3(", "a sequence that goes wrong shows what follows");
        ok(!utf8_is_valid("\xed\xbf\xbf", 3), "surrogates are not valid");
        ok(!utf8_is_valid("\xe0\x80\x80", 3), "overlong forms are not valid");
        ok(utf8_is_valid("\xf4\x8f\xbf\xbf", 4), "U+10FFFF is");
}

static void text_stays(void) {
        becomes("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", 15, 0,
                "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", "letters of people");
}

static void maximum_holds(void) {
        autobuf Buf buf = BUF_EMPTY(6);
        autofree char *cut = escape_new("abcdef", 3);
        autofree char *whole = escape_new("abc", 3);
        autofree char *edge = escape_new("ab\033", 5);

        ok(escape_text(&buf, "ab\033\033", 4, 0) < 0, "a full Buf is an error");
        is_text(buf.data, "ab\\x1b", "and holds whole escapes only");
        is_text(cut, "abc…", "a cut text says so");
        is_text(whole, "abc", "a whole one does not");
        is_text(edge, "ab…", "an escape is not cut in two");
}

int main(void) {
        controls();
        deceiving_characters();
        invalid_utf8();
        text_stays();
        maximum_holds();
        return tap_end();
}

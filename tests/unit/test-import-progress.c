/* import-progress: what is told of an import that runs, with a clock of ours */
#include "cli/import-progress.h"
#include "tests/tap.h"

#define SEC 1000000ull

static void test_known_size(void) {
        ImportProgress progress = { .total = 400 << 20, .began_usec = 7 * SEC };
        char text[IMPORT_LINE_MAX];

        is_text(import_progress_line(&progress, 0, 0, 7 * SEC, text),
                "0 B of 400 MiB (0%), 0 files", "nothing yet: no speed");
        is_text(import_progress_line(&progress, 1 << 20, 9, 7 * SEC + 100000, text),
                "1 MiB of 400 MiB (0%), 9 files", "too early to reckon");
        is_text(import_progress_line(&progress, 100 << 20, 1234, 8 * SEC, text),
                "100 MiB of 400 MiB (25%), 1234 files, 100 MiB/s, 0:03 left", "a quarter");
        is_text(import_progress_line(&progress, 400 << 20, 5000, 11 * SEC, text),
                "400 MiB of 400 MiB (100%), 5000 files, 100 MiB/s, 0:00 left", "all");
}

static void test_unknown_size(void) {
        ImportProgress progress = { .began_usec = 0 };
        char text[IMPORT_LINE_MAX];

        is_text(import_progress_line(&progress, 10 << 20, 3, 2 * SEC, text),
                "10 MiB, 3 files, 5 MiB/s", "of a pipe nothing is said about what is left");
}

static void test_long(void) {
        ImportProgress progress = { .total = 1ull << 40, .began_usec = 0 };
        char text[IMPORT_LINE_MAX];

        is_text(import_progress_line(&progress, 1 << 30, 1, 16 * SEC, text),
                "1 GiB of 1 TiB (0%), 1 file, 64 MiB/s, 4:32:48 left", "hours");
}

/* An image: its layers are unpacked after it was read */
static void test_second_time(void) {
        ImportProgress progress = { .total = 100, .began_usec = 0 };
        char text[IMPORT_LINE_MAX];

        (void) import_progress_line(&progress, 100, 3, SEC, text);
        is_text(import_progress_line(&progress, 40, 5, 2 * SEC, text), "40 B, 5 files",
                "what is read anew has no known size");
        is_text(import_progress_line(&progress, 80, 6, 3 * SEC, text), "80 B, 6 files, 80 B/s",
                "and a speed of its own");
}

static void test_grows(void) {
        ImportProgress progress = { .total = 100, .began_usec = 0 };
        char text[IMPORT_LINE_MAX];

        is_text(import_progress_line(&progress, 101, 1, 1, text), "101 B, 1 file",
                "a file that has grown");
}

int main(void) {
        test_known_size();
        test_unknown_size();
        test_long();
        test_second_time();
        test_grows();
        return tap_end();
}

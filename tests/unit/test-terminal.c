/* terminal: what a text from outside may look like to who must judge it. */
#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>

#include "base/owned.h"
#include "tests/tap.h"

static void quoted(const char *text, const char *want, const char *what) {
        autofree char *shown = NULL;
        size_t n = 0;
        FILE *file = open_memstream(&shown, &n);

        terminal_quote(file, "| ", text);
        (void) fclose(file);
        is_text(shown, want, what);
}

#define TEN     "1234567890"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN

static void whole(void) {
        quoted("", "", "nothing");
        quoted("one\ntwo\n", "| one\n| two\n", "each line has its mark");
        quoted(SEVENTY, "| " SEVENTY "\n", "a line that just fits");
        quoted(SEVENTY "x", "| " SEVENTY "\n| x\n", "a long word goes on in the next line");
        quoted(TEN " " SEVENTY, "| " TEN " \n| " SEVENTY "\n", "a line ends behind a blank");
        quoted(" " SEVENTY, "| \n| " SEVENTY "\n", "a blank at the very beginning");
}

static void characters(void) {
        quoted("a\033[2Jb", "| a\\x1b[2Jb\n", "a sequence of the terminal");
        quoted("1234567" TEN TEN TEN TEN TEN TEN "12\xc3\xbc",
               "| 1234567" TEN TEN TEN TEN TEN TEN "12\n| \xc3\xbc\n",
               "no character is cut in two");
        quoted("\t\t\t\t\t\t\t\t\tend", "| \n| \tend\n", "tabs count as wide as they can be");
}

static void blank_lines(void) {
        quoted("a\n\nb", "| a\n| \n| b\n", "one blank line");
        quoted("a\n\n \n\t\n\nb", "| a\n| \n| (3 more blank lines)\n| b\n", "many of them");
        quoted("a\n\n\n", "| a\n| \n| (1 more blank lines)\n", "at the end");
}

int main(void) {
        whole();
        characters();
        blank_lines();
        return tap_end();
}

/* log: one line an event, whatever the fields hold. */
#include "base/log.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "tests/tap.h"

/* What log_event() writes: stderr is a memfd meanwhile. */
static char *logged(int level, const char *message, const LogField *fields) {
        autoclose int file = memfd_create("log", MFD_CLOEXEC);
        autoclose int saved = dup(STDERR_FILENO);
        char *text = NULL;

        (void) dup2(file, STDERR_FILENO);
        log_fields(level, message, fields);
        (void) dup2(saved, STDERR_FILENO);
        (void) lseek(file, 0, SEEK_SET);
        (void) fd_read_all(file, 100000, &text, NULL);
        return text;
}

#define LOGGED(LEVEL, MESSAGE, ...) \
        logged(LEVEL, MESSAGE, (const LogField[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

static void outside_text_makes_no_line(void) {
        autofree char *text = LOGGED(LOG_ERR, "jail refused", F("NAME", "a\nwarder: fake\033[2J"));

        is_text(text, "tester: jail refused NAME=\"a\\x0awarder: fake\\x1b[2J\"\n",
                "newlines and escapes are shown, not obeyed");
}

static void quotes_are_escaped(void) {
        autofree char *text = LOGGED(LOG_ERR, "m", F("A", "x\" B=\"y"));

        is_text(text, "tester: m A=\"x\\\" B=\\\"y\"\n", "a value cannot end its quotes");
}

static void long_fields_are_cut(void) {
        char many[20000];
        autofree char *text = NULL;

        memset(many, 'x', sizeof(many) - 1);
        many[sizeof(many) - 1] = 0;
        text = LOGGED(LOG_ERR, "m", F("A", many), F("B", "short"));
        ok(strlen(text) < 1200, "a long field is cut");
        has_text(text, "B=short\n", "and the next one is there");
}

static void full_line_keeps_its_newline(void) {
        char many[2000];
        autofree char *text = NULL;

        memset(many, 'x', sizeof(many) - 1);
        many[sizeof(many) - 1] = 0;
        text = LOGGED(LOG_ERR, "m", F("A", many), F("B", many), F("C", many), F("D", many),
                      F("E", many), F("F", many), F("G", many), F("H", many), F("I", many));
        ok(text && text[strlen(text) - 1] == '\n', "a full line ends");
}

static void fields_and_levels(void) {
        Error err = { .code = -5, .text = "open x: No such file" };
        autofree char *text = LOGGED(LOG_WARNING, "refused", F("JAIL", "j-x"), F("NONE", NULL),
                                     F("EMPTY", ""), F_ERR(&err));
        autofree char *quiet = LOGGED(LOG_DEBUG, "not shown");

        is_text(text, "tester: refused JAIL=j-x EMPTY=\"\" ERROR=\"open x: No such file\"\n",
                "fields in order, NULL left out");
        is_text(quiet, "", "a level below the chosen one is silent");
}

int main(void) {
        log_open("tester", LOG_INFO);
        outside_text_makes_no_line();
        quotes_are_escaped();
        long_fields_are_cut();
        full_line_keeps_its_newline();
        fields_and_levels();
        return tap_end();
}

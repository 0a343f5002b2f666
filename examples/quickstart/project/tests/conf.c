#include <string.h>

#include "shelf.h"
#include "tap.h"

typedef struct Seen {
        char names[64], values[64];
        unsigned n;
} Seen;

static void see(const char *name, const char *value, void *userdata) {
        Seen *seen = userdata;

        strcat(strcat(seen->names, name), ";");
        strcat(strcat(seen->values, value), ";");
        seen->n++;
}

void test_conf(void) {
        Seen seen = { 0 }, none = { 0 };
        char line[400];

        tap_ok(conf_read("a = 1\n# all of it\nb=two words # why\n\n", see, &seen) == 0,
               "conf: lines, comments, empty lines");
        tap_ok(seen.n == 2 && strcmp(seen.names, "a;b;") == 0, "conf: names");
        tap_ok(strcmp(seen.values, "1;two words;") == 0, "conf: values");
        tap_ok(conf_read("", see, &none) == 0 && none.n == 0, "conf: an empty file");
        tap_ok(conf_read("a = 1\nnonsense\n", see, &none) == 2, "conf: the wrong line is named");
        tap_ok(conf_read("= 1\n", see, &none) == 1, "conf: a value without a name");
        memset(line, 'a', sizeof(line) - 1);
        line[sizeof(line) - 1] = 0;
        tap_ok(conf_read(line, see, &none) == 1, "conf: too long a line");
        tap_ok(conf_read("last = line", see, &none) == 0, "conf: no newline at the end");
}
